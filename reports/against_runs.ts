/** Results against those of another folder, run by run. @module */
import type { RunRecord } from "../harness/core/records.ts";
import { median } from "../harness/statistics/summary.ts";
import {
  type Conditions,
  differences,
  scoringConditions,
  showCondition,
  timingConditions,
  trainingConditions,
} from "./conditions.ts";
import { type Block, formatInterval, formatMeanStd, formatNumber, NONE } from "./document/block.ts";
import { pairedDifference, type SeedValue } from "./document/paired.ts";
import type { MetricName, ResultTable } from "./document/result_table.ts";
import { isBusy, secondsOf, type TimedPart, timedParts } from "./document/timed_parts.ts";
import { datasetLabel } from "./page/content.ts";

/** Two runs of one method, data set and seed. */
interface RunPair {
  readonly here: RunRecord;
  readonly there: RunRecord;
  /** Settings that differ: `epochs 3 / 5`. */
  readonly changed: readonly string[];
}

/** The results of `records`, whose table is `table`, against the results `others` of the folder `name`. */
export function againstRuns(
  records: readonly RunRecord[],
  { table, others, name }: {
    readonly table: ResultTable;
    readonly others: readonly RunRecord[];
    /** As the reader knows the folder. */
    readonly name: string;
  },
): Block[] {
  const pairs = pairRuns(records, others);
  const heading: Block = { kind: "heading", text: `Against ${name}` };
  const unpaired = unpairedItems({ records, others, pairs, name });
  if (pairs.length === 0) {
    const text = "No run has the method, the data set and the seed of one there.";
    return [heading, { kind: "text", text }, { kind: "list", items: unpaired }];
  }
  const text =
    `Runs of equal method, data set and seed: here, and there in ${name}. Differences are here minus there. A score is compared ` +
    "only where both were measured in the same way; settings that differ otherwise are named, and may be what is compared. " +
    "Seconds are medians over the epochs after the warm-up, and only those of like machines have a ratio.";
  const scored = table.metrics.flatMap((metric) =>
    pairs.flatMap((pair) => scoresOf(pair, metric).map((score) => ({ ...score, pair, metric })))
  );
  return [
    heading,
    { kind: "text", text },
    ...summaryBlocks(scored, table),
    ...scoreBlocks(scored, table),
    timeBlock(pairs, table),
    ...unpaired.length === 0 ? [] : [{ kind: "list", items: unpaired } as const],
  ];
}

/** Each run of `here` with the run of `there` of equal method, data set and seed that differs in the fewest settings. */
export function pairRuns(
  here: readonly RunRecord[],
  there: readonly RunRecord[],
): RunPair[] {
  return here.flatMap((run): RunPair[] => {
    const { method, dataset, seed } = run.spec;
    const pairs = there.filter(({ spec }) =>
      spec.method === method && spec.dataset === dataset && spec.seed === seed
    ).map((other) => ({ here: run, there: other, changed: changesOf(run, other) }));
    return pairs.toSorted((a, b) => a.changed.length - b.changed.length).slice(0, 1);
  });
}

/** The conditions of training that differ; one that only one of the two has is a difference. */
function changesOf(here: RunRecord, there: RunRecord): string[] {
  const [a, b] = [trainingConditions(here), trainingConditions(there)];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const whole = (own: Conditions) =>
    Object.fromEntries(names.map((name) => [name, own[name] ?? "absent"]));
  return differences(whole(a), whole(b), { but: ["data SHA-256"] }).map(describe);
}

function describe(
  { name, here, there }: { readonly name: string; readonly here: string; readonly there: string },
): string {
  return `${name} ${showCondition(here)} / ${showCondition(there)}`;
}

/** A score of both runs of a pair. */
interface ScoredPair {
  /** The method, or one of its other ways to sample. */
  readonly label: string;
  readonly here: number;
  readonly there: number;
  /** Why the two were not measured in the same way; empty if they were. */
  readonly reasons: readonly string[];
}

type PlacedPair = ScoredPair & { readonly pair: RunPair; readonly metric: MetricName };

function scoresOf({ here, there }: RunPair, { name }: MetricName): ScoredPair[] {
  if (here.status !== "completed" || there.status !== "completed") return [];
  const [a, b] = [here, there].map(scoringConditions);
  const relevant = ({ name: condition }: { readonly name: string }) =>
    condition === "sampleCount" || condition.startsWith(`${name} `);
  const reasons = [
    ...differences(a, b).filter(relevant),
    ...differences(trainingConditions(here), trainingConditions(there))
      .filter(({ name: condition }) => condition === "data SHA-256"),
  ].map(describe);
  const ways = [
    { label: here.spec.method, own: here.scores[name], other: there.scores[name] },
    ...Object.entries(here.alternatives ?? {}).map(([way, { label, scores }]) => ({
      label,
      own: scores[name],
      other: there.alternatives?.[way]?.scores[name],
    })),
  ];
  return ways.flatMap(({ label, own, other }) =>
    own === undefined || other === undefined ? [] : [{ label, here: own, there: other, reasons }]
  );
}

/** A row for each method, data set and score: the mean difference over comparable pairs. */
function summaryBlocks(scored: readonly PlacedPair[], table: ResultTable): Block[] {
  const comparable = scored.filter(({ reasons }) => reasons.length === 0);
  const groups = [
    ...Map.groupBy(
      comparable,
      ({ label, pair, metric }) => JSON.stringify([label, pair.here.spec.dataset, metric.name]),
    ).values(),
  ];
  const rows = groups.flatMap((group) => {
    const seeds = (value: (pair: PlacedPair) => number): SeedValue[] =>
      group.map((one) => ({ seed: one.pair.here.spec.seed, value: value(one) }));
    const found = pairedDifference(seeds(({ here }) => here), seeds(({ there }) => there));
    if (found === null) return [];
    const [{ label, pair, metric }] = group;
    const { mean, std, n, interval, finding, isWeak } = found;
    return [[
      labelOf(label, table),
      datasetLabel(table, pair.here.spec.dataset),
      metric.label,
      `${formatMeanStd(mean, std)} (n = ${n})`,
      interval === null || std === null ? NONE : formatInterval(interval, std),
      interval === null
        ? "one pair"
        : isWeak && finding !== "unclear"
        ? `${finding}, weak`
        : finding,
    ]];
  });
  if (rows.length === 0) return [];
  return [{
    kind: "table",
    caption: "Mean differences at equal seeds",
    head: ["Method", "Data set", "Score", "Difference", "95 % interval", "Here"],
    rows,
  }];
}

/** A table for each score, a row for each pair. */
function scoreBlocks(scored: readonly PlacedPair[], table: ResultTable): Block[] {
  return table.metrics.flatMap((metric): Block[] => {
    const own = scored.filter((one) => one.metric.name === metric.name);
    if (own.length === 0) return [];
    return [{
      kind: "table",
      caption: `${metric.label}, run by run (${metric.better} is better)`,
      head: ["Method", "Data set", "Seed", "Here", "There", "Difference", "Differs in"],
      rows: own.map(({ label, pair, here, there, reasons }) => [
        labelOf(label, table),
        datasetLabel(table, pair.here.spec.dataset),
        `${pair.here.spec.seed}`,
        formatNumber(here),
        formatNumber(there),
        reasons.length === 0 ? formatNumber(here - there) : `not comparable: ${reasons.join(", ")}`,
        pair.changed.join(", ") || NONE,
      ]),
    }];
  });
}

function timeBlock(pairs: readonly RunPair[], table: ResultTable): Block {
  return {
    kind: "table",
    caption: "Seconds per epoch, run by run",
    head: ["Method", "Data set", "Seed", "Here", "There", "Ratio", "Differs in"],
    rows: pairs.map((pair) => {
      const [here, there] = [pair.here, pair.there].map(longestPart);
      return [
        labelOf(pair.here.spec.method, table),
        datasetLabel(table, pair.here.spec.dataset),
        `${pair.here.spec.seed}`,
        here === undefined ? NONE : formatNumber(median(secondsOf(here))),
        there === undefined ? NONE : formatNumber(median(secondsOf(there))),
        here === undefined || there === undefined ? NONE : ratioOf(here, there),
        pair.changed.join(", ") || NONE,
      ];
    }),
  };
}

/** The ratio of two median times, if the machines and the runs that shared them are alike and did nothing else. */
function ratioOf(here: TimedPart, there: TimedPart): string {
  const unlike = differences(timingConditions(here.machine), timingConditions(there.machine));
  if (unlike.length > 0) return `not comparable: ${unlike.map(describe).join(", ")}`;
  const [above, below] = [secondsOf(here), secondsOf(there)];
  if (isBusy(above) || isBusy(below)) return "not comparable: a machine was busy";
  return (median(above) / median(below)).toFixed(2);
}

/** The machine that trained most of a run's epochs that count, with their seconds; undefined without any. */
function longestPart(run: RunRecord): TimedPart | undefined {
  return timedParts(run).toSorted((a, b) => b.epochs.length - a.epochs.length)[0];
}

function unpairedItems(
  { records, others, pairs, name }: {
    readonly records: readonly RunRecord[];
    readonly others: readonly RunRecord[];
    readonly pairs: readonly RunPair[];
    readonly name: string;
  },
): string[] {
  const paired = new Set(pairs.flatMap(({ here, there }) => [here, there]));
  const list = (runs: readonly RunRecord[]) =>
    runs.filter((run) => !paired.has(run)).map(({ spec: { method, dataset, seed } }) =>
      `${method} ${dataset} seed ${seed}`
    ).join("; ");
  const items = [
    ["Only here", list(records)],
    [`Only in ${name}`, list(others)],
    [
      "Without scores on both sides",
      pairs.filter(({ here, there }) => here.status !== "completed" || there.status !== "completed")
        .map(({ here, there }) =>
          `${here.spec.method} ${here.spec.dataset} seed ${here.spec.seed} (${here.status} here, ${there.status} there)`
        ).join("; "),
    ],
  ];
  return items.filter(([, text]) => text !== "").map(([what, text]) => `${what}: ${text}`);
}

/** The label of a method; of another way to sample, its own. */
function labelOf(name: string, { rows }: ResultTable): string {
  return rows.find(({ method, alternative }) => method === name && alternative === null)?.label ??
    name;
}
