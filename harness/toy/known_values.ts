/**
 * Numbers whose value theory gives, gated by their own sampling error.
 *
 * @module
 */
import { diagnose } from "../statistics/effective_sample_size.ts";
import type { ToyRow } from "../core/toy_report.ts";
import { GATE_DEVIATIONS } from "./score_run.ts";

/** A measured mean and its standard error. */
export interface Estimate {
  readonly value: number;
  readonly error: number;
}

/** The metric of a row and its numbers. */
export type Row = Omit<ToyRow, "experiment" | "sampler">;

/** The mean of a statistic along chains, [chains][draws], with its standard error at the effective size of these chains. */
export function estimate(chains: readonly Float64Array[]): Estimate {
  let [count, sum, squares] = [0, 0, 0];
  for (const chain of chains) {
    for (const v of chain) {
      count++;
      sum += v;
    }
  }
  const value = sum / count;
  for (const chain of chains) for (const v of chain) squares += (v - value) ** 2;
  const { effectiveSize } = diagnose(chains);
  return { value, error: Math.sqrt(squares / count / effectiveSize) };
}

/** The mean of independent `values` and its standard error. */
export function independent(values: ArrayLike<number>): Estimate {
  const count = values.length;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < count; i++) sum += values[i];
  const value = sum / count;
  for (let i = 0; i < count; i++) squares += (values[i] - value) ** 2;
  return { value, error: Math.sqrt(squares / (count - 1) / count) };
}

/**
 * The row of a number that should be `expected` up to its error, and up to `room` for what theory leaves out. Nothing is gated
 * where `expected` is null: theory does not say. `exact` is what independent draws from the truth have on average.
 */
export function knownRow(
  metric: string,
  { value, error, expected, exact, room = 0 }: Estimate & {
    readonly expected: number | null;
    readonly exact: number | null;
    readonly room?: number;
  },
): Row {
  const reach = GATE_DEVIATIONS * error + room;
  const [low, high] = expected === null ? [null, null] : [expected - reach, expected + reach];
  const isInside = low === null || value >= low && value <= high;
  return {
    metric,
    value: Number.isFinite(value) ? value : null,
    exact,
    error,
    low,
    high,
    verdict: low === null ? "shown" : isInside ? "pass" : "fail",
  };
}

/** The row of the largest of several deviations, in standard errors. */
export function largestRow(metric: string, value: number): Row {
  return {
    metric,
    value,
    exact: null,
    error: null,
    low: null,
    high: GATE_DEVIATIONS,
    verdict: value <= GATE_DEVIATIONS ? "pass" : "fail",
  };
}
