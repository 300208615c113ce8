import { stepsPerEpoch } from "../core/row_order.ts";
import { canonicalJson, moduleHashes } from "./spec.ts";
import { median } from "../statistics/summary.ts";
import type { Dataset } from "../core/types.ts";
import type { EpochRecord, RunRecord, RunSpec } from "../core/records.ts";

/** Measured time of the parts of a run on this machine. */
export interface Pace {
  readonly secondsPerStep: number;
  /** Everything except training: start, compilation, sampling, scores. */
  readonly restSeconds: number;
}

/** Paces by `paceKey`: of runs that differ only in seed and length. */
export type Paces = ReadonlyMap<string, Pace>;

/** Key of everything that affects the time of a step: equal for runs that differ only in seed and length. */
export function paceKey(spec: RunSpec): string {
  const { method, dataset, batchSize, hyper, device, threads } = spec;
  return canonicalJson({
    method,
    dataset,
    batchSize,
    hyper,
    device,
    threads,
    modules: moduleHashes(spec),
  });
}

/** Seconds per step: the median over `epochs`, without the warm-up if there are other epochs; undefined without epochs. */
export function secondsPerStep(epochs: readonly EpochRecord[]): number | undefined {
  const steady = epochs.filter(({ warmup }) => !warmup);
  const counted = steady.length > 0 ? steady : epochs;
  if (counted.length === 0) return undefined;
  return median(counted.map(({ seconds, steps }) => seconds / steps));
}

/** Paces of completed runs; the last one counts for each key. */
export function pacesOf(records: readonly RunRecord[]): Map<string, Pace> {
  const paces = new Map<string, Pace>();
  for (const record of records) {
    const pace = secondsPerStep(record.epochs);
    if (record.status !== "completed" || pace === undefined) continue;
    const { sample, score, other } = record.seconds;
    paces.set(paceKey(record.spec), { secondsPerStep: pace, restSeconds: sample + score + other });
  }
  return paces;
}

/** Number of optimizer steps of a run. */
export function stepsOfRun(spec: RunSpec, dataset: Dataset): number {
  return spec.epochs * stepsPerEpoch(spec.trainCount ?? dataset.counts.train, spec.batchSize);
}

/** Estimated time of a sweep. */
export interface Estimate {
  /** Undefined if no pace is known. */
  readonly seconds: number | undefined;
  /** Number of runs of unknown pace, counted with the mean of the others. */
  readonly guessed: number;
}

/** Sums the seconds of all runs and divides by `jobs`, assuming that parallel runs share the machine evenly. */
export function estimateSweep(
  runs: readonly { readonly key: string; readonly steps: number }[],
  { paces, jobs }: { readonly paces: Paces; readonly jobs: number },
): Estimate {
  const known = runs.flatMap(({ key, steps }) => {
    const pace = paces.get(key);
    return pace === undefined ? [] : [steps * pace.secondsPerStep + pace.restSeconds];
  });
  const guessed = runs.length - known.length;
  if (runs.length === 0) return { seconds: 0, guessed };
  if (known.length === 0) return { seconds: undefined, guessed };
  const sum = known.reduce((a, b) => a + b);
  return { seconds: sum * (runs.length / known.length) / jobs, guessed };
}

/** Formats 95 as `1 min 35 s`, with at most two units. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.round(seconds / 60);
  if (whole < 60) return `${whole} s`;
  if (whole < 600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
