import { mean, sampleStd } from "../harness/statistics/summary.ts";
import { describeDivergence } from "../harness/core/not_finite.ts";
import type { RunRecord } from "../harness/core/records.ts";
import { compareScore } from "./compare_published.ts";
import { type Run, scoringConditions, trainingConditions } from "./conditions.ts";
import type {
  AmortizationCell,
  AnomalyCell,
  Comparison,
  InpaintingCell,
  ReconstructionCell,
  ScoreCell,
  SeedCell,
  Spread,
} from "./document/result_table.ts";
import { IMAGE_EBM_SCORES } from "./published/image_ebms.ts";
import { PAPER_SCORES } from "./published/paper.ts";
import { POSTER_SCORES } from "./published/poster.ts";

type CompletedRun = Extract<RunRecord, { status: "completed" }>;

/** Ids of the runs that an experiment asked for; null where that is not known. */
export type RunList = ReadonlySet<string> | null;

/** The runs of one row on one data set. */
export interface CellRuns {
  readonly runs: readonly Run[];
  readonly runList: RunList;
}

/** A number that runs may have. */
interface Measurement {
  /** Whether the run was asked for it. */
  readonly isAsked: (run: Run) => boolean;
  /** The number; undefined where a completed run has none. */
  readonly valueOf: (run: CompletedRun) => number | undefined;
  /** The reason given for a completed run without it. */
  readonly absent: string;
}

/** One number over the seeds of the runs that were asked for it. */
function seedCell(
  { runs, runList }: CellRuns,
  { isAsked, valueOf, absent }: Measurement,
): SeedCell {
  const values: SeedCell["values"][number][] = [];
  const lost: { seed: number; why: string }[] = [];
  const missing: number[] = [];
  for (const run of runs.filter(isAsked).toSorted((a, b) => a.spec.seed - b.spec.seed)) {
    const { id, spec: { seed } } = run;
    const value = run.status === "completed" ? valueOf(run) : undefined;
    if (value !== undefined) values.push({ seed, value, run: id, ...codeOf(run) });
    else if (run.status === "missing") missing.push(seed);
    else lost.push({ seed, why: run.status === "completed" ? absent : describeEnd(run) });
  }
  const isListed = runs.some(({ id }) => runList?.has(id));
  const spread = spreadOf(values.map(({ value }) => value));
  return {
    ...spread ?? { mean: null, std: null, n: 0 },
    values,
    lost,
    missing: isListed ? missing : null,
  };
}

/** The hashes of the code of `run`, if it has a record of them. */
function codeOf({ provenance }: Run): { readonly code?: readonly string[] } {
  const code = provenance?.code;
  return code === undefined ? {} : { code: [...code.earlier ?? [], code.sha256] };
}

/** Mean and spread of `values`; null where there are none. */
export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  return { mean: mean(values), std: sampleStd(values), n: values.length };
}

/** How a run without a result ended. */
function describeEnd(run: Exclude<RunRecord, { status: "completed" }>): string {
  switch (run.status) {
    case "diverged":
      return describeDivergence(run);
    case "failed":
      return `failed: ${run.error}`;
    case "interrupted":
      return `interrupted after ${run.epochs.length} epochs`;
  }
}

/** The score `metric` of one row on one data set. */
export function scoreCell(
  cellRuns: CellRuns,
  { metric, dataset }: { readonly metric: string; readonly dataset: string },
): ScoreCell {
  const scored = cellRuns.runs.filter(isCompleted).filter(({ scores }) => metric in scores);
  const isAsked = (run: Run) =>
    run.spec.metrics.includes(metric) || scored.some(({ id }) => id === run.id);
  const cell = seedCell(cellRuns, {
    isAsked,
    valueOf: ({ scores }) => scores[metric],
    absent: "completed without this score",
  });
  const asked = cellRuns.runs.filter(isAsked);
  const bases = scored.flatMap(({ bounds }) => bounds?.[metric] ?? []);
  return {
    metric,
    dataset,
    ...cell,
    untrained: spreadOf(scored.flatMap(({ untrained }) => untrained[metric] ?? [])),
    decoded: spreadOf(scored.flatMap(({ decodedScores }) => decodedScores?.[metric] ?? [])),
    basis: bases.toSorted((a, b) => b.standardError - a.standardError).at(0) ?? null,
    published: asked.length === 0 ? null : publishedBeside(cell, { run: asked[0], metric }),
  };
}

/** The comparison with the published number for the method, data set and metric of `run`, if there is one. */
function publishedBeside(
  cell: SeedCell,
  { run, metric }: { readonly run: Run; readonly metric: string },
): Comparison | null {
  const { method, dataset } = run.spec;
  const published = [...PAPER_SCORES, ...POSTER_SCORES, ...IMAGE_EBM_SCORES].find((score) =>
    score.method === method && score.dataset === dataset && score.metric === metric
  );
  if (published === undefined) return null;
  const conditions = { ...trainingConditions(run), ...scoringConditions(run) };
  return compareScore(cell, { conditions, published });
}

/** Whether `run` has results. */
export function isCompleted(run: Run): run is CompletedRun {
  return run.status === "completed";
}

/**
 * The error of reconstructions of one row on one data set. Where no run has one, completed runs were not asked: a method
 * without latents reconstructs nothing.
 */
export function reconstructionCell(cellRuns: CellRuns, dataset: string): ReconstructionCell {
  const isMeasured = cellRuns.runs.filter(isCompleted)
    .some(({ reconstructionError }) => reconstructionError !== undefined);
  const cell = seedCell(cellRuns, {
    isAsked: (run) => isMeasured || run.status !== "completed",
    valueOf: ({ reconstructionError }) => reconstructionError,
    absent: "completed without reconstructions",
  });
  return { dataset, ...cell };
}

/** The error of fits of one row on one data set; at most one cell. */
export function fitCells(cellRuns: CellRuns, dataset: string): ReconstructionCell[] {
  const isMeasured = cellRuns.runs.filter(isCompleted).some(({ fitError }) =>
    fitError !== undefined
  );
  if (!isMeasured) return [];
  const cell = seedCell(cellRuns, {
    isAsked: () => true,
    valueOf: ({ fitError }) => fitError,
    absent: "completed without fits",
  });
  return [{ dataset, ...cell }];
}

/** The areas of one row on one data set that holds out a class; at most one cell. */
export function anomalyCells(cellRuns: CellRuns, dataset: string): AnomalyCell[] {
  const [found] = cellRuns.runs.filter(isCompleted).flatMap(({ anomaly }) => anomaly ?? []);
  if (found === undefined) return [];
  const cell = seedCell(cellRuns, {
    isAsked: () => true,
    valueOf: ({ anomaly }) => anomaly?.averagePrecision,
    absent: "completed without anomaly scores",
  });
  return [{ dataset, chance: found.chance, ...cell }];
}

/** The errors of one row on one data set that hides pixels; at most one cell. */
export function inpaintingCells(cellRuns: CellRuns, dataset: string): InpaintingCell[] {
  const [found] = cellRuns.runs.filter(isCompleted).flatMap(({ inpainting }) => inpainting ?? []);
  if (found === undefined) return [];
  const cell = seedCell(cellRuns, {
    isAsked: () => true,
    valueOf: ({ inpainting }) => inpainting?.squaredError,
    absent: "completed without inpaintings",
  });
  const { images, hiddenShare, floors } = found; // equal in all runs of a row
  return [{ dataset, images, hiddenShare, floors, ...cell }];
}

/** Diagnostics of the amortized chains of one row on one data set; at most one cell. */
export function amortizationCell({ runs }: CellRuns, dataset: string): AmortizationCell[] {
  const found = runs.filter(isCompleted).flatMap(({ diagnostics }) => diagnostics ?? []);
  if (found.length === 0) return [];
  const [{ features, rows, moves }] = found; // equal in all runs of a row
  const ratios = found.flatMap(({ varianceRatio }) => varianceRatio ?? []);
  return [{
    dataset,
    features,
    rows,
    rank: mean(found.map(({ rank }) => rank)),
    leverage: {
      mean: mean(found.map(({ leverage }) => leverage.mean)),
      min: mean(found.map(({ leverage }) => leverage.min)),
      max: mean(found.map(({ leverage }) => leverage.max)),
    },
    varianceRatio: ratios.length === 0 ? null : { mean: mean(ratios), n: ratios.length },
    moves,
    n: found.length,
  }];
}
