import { median } from "../harness/statistics/summary.ts";
import { compareRatio, compareTime, departures } from "./compare_published.ts";
import {
  type Conditions,
  type Difference,
  differences,
  type Run,
  showCondition,
  timingConditions,
  trainingConditions,
} from "./conditions.ts";
import type { RatioCell, TimeCell } from "./document/result_table.ts";
import {
  describeMachine,
  isBusy,
  secondsOf,
  STEADY_RANGE,
  timedParts,
} from "./document/timed_parts.ts";
import { PAPER_RATIOS, PAPER_TIMES } from "./published/paper.ts";
import type { PublishedRatio } from "./published/protocol.ts";

/** Seconds of one row on one data set and one machine, with the conditions that they depend on. */
export interface Timing {
  /** Key of the row. */
  readonly row: string;
  readonly method: string;
  readonly cell: TimeCell;
  /** The median of each run. */
  readonly medians: readonly number[];
  readonly conditions: Conditions;
}

/** The timings of `runs`, which are one row's, on `dataset`: one for each machine, that of most epochs first. */
export function timingsOf(
  runs: readonly Run[],
  { row, dataset }: { readonly row: string; readonly dataset: string },
): Timing[] {
  const groups: { conditions: Conditions; machine: string; runs: (readonly number[])[] }[] = [];
  for (const run of runs) {
    if (run.status === "missing" || run.spec.dataset !== dataset) continue;
    for (const part of timedParts(run)) {
      const { machine } = part;
      const conditions = { ...trainingConditions(run), ...timingConditions(machine) };
      const fits = (group: { readonly conditions: Conditions }) =>
        differences(conditions, group.conditions, { but: ["seed"] }).length === 0;
      let group = groups.find(fits);
      if (group === undefined) {
        group = { conditions, machine: describeMachine(machine), runs: [] };
        groups.push(group);
      }
      group.runs.push(secondsOf(part));
    }
  }
  return groups.toSorted((a, b) => b.runs.flat().length - a.runs.flat().length)
    .map(({ conditions, machine, runs }) => {
      const seconds = runs.flat();
      const { method } = conditions;
      const published = PAPER_TIMES.find((time) =>
        time.method === method && time.dataset === dataset
      );
      const cell = {
        dataset,
        median: median(seconds),
        min: Math.min(...seconds),
        max: Math.max(...seconds),
        n: seconds.length,
        runs: runs.length,
        machine,
        busy: isBusy(seconds),
        published: published === undefined ? null : compareTime(conditions, published),
      };
      return { row, method, cell, medians: runs.map(median), conditions };
    });
}

/** Conditions that two methods may differ in without an effect on the seconds of an epoch. */
const UNTIMED = [
  "method",
  "seed",
  "epochs",
  "sigma",
  "learnSigma",
  "posteriorStepSize",
  "priorStepSize",
];

/** A row as ratios name it. */
interface RowName {
  readonly key: string;
  readonly method: string;
}

/**
 * The published ratios of seconds per epoch on `dataset`, of the rows that are alike in all but the method; where no two
 * are, one cell says in what the nearest two differ. None for methods without a row.
 */
export function ratioCells(
  rows: readonly RowName[],
  { timings, dataset }: { readonly timings: readonly Timing[]; readonly dataset: string },
): RatioCell[] {
  const here = timings.filter(({ cell }) => cell.dataset === dataset);
  return PAPER_RATIOS.flatMap((published) => {
    const above = here.filter(({ method }) => method === published.numerator);
    const below = here.filter(({ method }) => method === published.denominator);
    if (above.length > 0 && below.length > 0) return ratiosOf(above, { below, published });
    if (above.length + below.length === 0) return [];
    const numerator = rows.find(({ method }) => method === published.numerator);
    const denominator = rows.find(({ method }) => method === published.denominator);
    if (numerator === undefined || denominator === undefined) return [];
    const untimed = above.length === 0 ? numerator.key : denominator.key;
    const reasons = [`no time of ${untimed}`];
    const { conditions } = [...above, ...below][0];
    return [{
      numerator: numerator.key,
      denominator: denominator.key,
      dataset,
      machine: null,
      ratio: null,
      range: null,
      reasons,
      caveats: [],
      published: compareRatio({ range: null, reasons }, { conditions, published }),
    }];
  });
}

/** The ratios of all pairs that are alike; or the nearest pair, with what keeps it apart. */
function ratiosOf(
  above: readonly Timing[],
  { below, published }: {
    readonly below: readonly Timing[];
    readonly published: PublishedRatio;
  },
): RatioCell[] {
  // The denominator has the numerator's chain settings for other chains than those of its training, if at all.
  const but = [...UNTIMED, ...Object.keys(published.chains)];
  const pairs = above.flatMap((a) =>
    below.map((b) => ({ a, b, unlike: differences(a.conditions, b.conditions, { but }) }))
  ).toSorted((p, q) => p.unlike.length - q.unlike.length);
  const alike = pairs.filter(({ unlike }) => unlike.length === 0);
  return (alike.length > 0 ? alike : pairs.slice(0, 1)).map(({ a, b, unlike }) => {
    const isAlike = unlike.length === 0;
    const { conditions } = a;
    const busy = [a, b].filter(({ cell }) => cell.busy);
    const isKnown = isAlike && busy.length === 0;
    const range = isKnown ? rangeOf(a.medians, b.medians) : null;
    const reasons = isAlike ? busy.map(describeBusy) : unlike.map(describeDifference);
    return {
      numerator: a.row,
      denominator: b.row,
      dataset: a.cell.dataset,
      machine: isAlike ? a.cell.machine : null,
      ratio: isKnown ? a.cell.median / b.cell.median : null,
      range,
      reasons,
      caveats: isKnown ? departures(conditions, published.chains) : [],
      published: compareRatio({ range, reasons }, { conditions, published }),
    };
  });
}

/** The smallest and the largest ratio of one of `above` to one of `below`; null below two of either. */
function rangeOf(
  above: readonly number[],
  below: readonly number[],
): readonly [number, number] | null {
  if (above.length < 2 || below.length < 2) return null;
  return [
    Math.min(...above) / Math.max(...below),
    Math.max(...above) / Math.min(...below),
  ];
}

/** Why the seconds of a row give no ratio. */
function describeBusy({ row, cell: { min, max } }: Timing): string {
  const spread = (max / min).toFixed(2);
  return `the slowest epoch of ${row} took ${spread} times the fastest, more than ${STEADY_RANGE}: the machine was busy`;
}

function describeDifference({ name, here, there }: Difference): string {
  return `${name} ${showCondition(here)} against ${showCondition(there)}`;
}
