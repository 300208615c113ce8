import type { Findings, RunRecord } from "../harness/core/types.ts";
import type { RealCell, SampleCell } from "./document/result_table.ts";
import type { Run } from "./conditions.ts";
import { marksOf, type SeenMark } from "./sample_marks.ts";
import { spreadOf } from "./seed_cells.ts";

type Families = NonNullable<Extract<RunRecord, { status: "completed" }>["families"]>;

interface Found {
  readonly seed: number;
  readonly families: Families;
}

/** What families of scores found of the samples of one row on one data set, one cell for each family. */
export function sampleCells(runs: readonly Run[], dataset: string): SampleCell[] {
  const found = foundBy(runs);
  return familiesOf(found).map((family) => {
    const own = found.flatMap(({ seed, families }) =>
      family in families ? [{ seed, record: families[family] }] : []
    );
    const marks = own.flatMap(({ seed, record }) =>
      marksOf(family, record).map((mark) => ({ seed, ...mark }))
    );
    return {
      dataset,
      family,
      n: own.length,
      classes: sharesOf(own.map(({ record }) => record.samples)),
      standardErrors: largest(own.map(({ record }) => record.samples.standardErrors)),
      marks: [...Map.groupBy(marks, ({ mark }) => mark)].map(([mark, seen]) => ({
        mark,
        seeds: seen.map(({ seed, seen }: SeenMark & { readonly seed: number }) => ({ seed, seen })),
      })),
    };
  });
}

/** What families of scores found of real images of one data set, over the seeds of all methods: a cell for each number of images. */
export function realCells(runs: readonly Run[], dataset: string): RealCell[] {
  const found = foundBy(runs.filter(({ spec }) => spec.dataset === dataset));
  return familiesOf(found).flatMap((family) => {
    const sets = found.flatMap(({ seed, families }) =>
      family in families ? [{ seed, findings: families[family].real }] : []
    );
    const byCount = Map.groupBy(sets, ({ findings }) => findings.count);
    return [...byCount].map(([count, sets]) => {
      // All methods stand beside the same images of a seed, but may ask for other scores.
      const bySeed = [...Map.groupBy(sets, ({ seed }) => seed).values()]
        .map((same) => same.map(({ findings }) => findings));
      const names = [...new Set(sets.flatMap(({ findings }) => Object.keys(findings.scores)))];
      const valuesOf = (name: string) =>
        bySeed.flatMap((same) => same.find(({ scores }) => name in scores)?.scores[name] ?? []);
      return {
        dataset,
        family,
        count,
        scores: Object.fromEntries(
          names.flatMap((name) => {
            const spread = spreadOf(valuesOf(name));
            return spread === null ? [] : [[name, spread]];
          }),
        ),
        expected: Object.assign({}, ...sets.map(({ findings }) => findings.expected)),
        classes: sharesOf(bySeed.map(([first]) => first)),
      };
    });
  });
}

function foundBy(runs: readonly Run[]): Found[] {
  return runs.flatMap((run) =>
    run.status === "completed" && run.families
      ? [{ seed: run.spec.seed, families: run.families }]
      : []
  );
}

function familiesOf(found: readonly Found[]): string[] {
  return [...new Set(found.flatMap(({ families }) => Object.keys(families)))];
}

/** Shares of the predicted classes among all images; empty without classes. */
function sharesOf(findings: readonly Findings[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { classes = {} } of findings) {
    for (const [name, count] of Object.entries(classes)) sums[name] = (sums[name] ?? 0) + count;
  }
  const total = Object.values(sums).reduce((a, b) => a + b, 0);
  return Object.fromEntries(Object.entries(sums).map(([name, count]) => [name, count / total]));
}

/** The largest value of each name. */
function largest(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const most: Record<string, number> = {};
  for (const record of records) {
    for (const [name, value] of Object.entries(record)) {
      most[name] = Math.max(value, most[name] ?? value);
    }
  }
  return most;
}
