/**
 * The speed of training steps as a fraction of the speed of matrix products in the same process, and its comparison with
 * earlier values.
 *
 * @module
 */
import { median } from "../harness/statistics/summary.ts";

/** A method of `deno task bench:step --json`: seconds of its steps and of the matrix products between them. */
export interface StepTimes {
  readonly method: string;
  /** Floating-point operations per step; absent without a formula. */
  readonly flops?: number;
  readonly steps: readonly number[];
  readonly products: readonly number[];
  /** Size of the product's matrices. */
  readonly product: number;
}

/** Fractions by method, with the machine and the options of `bench:step` with which they were measured. */
export interface SpeedBaseline {
  readonly machine: string;
  readonly options: readonly string[];
  readonly fractions: Readonly<Record<string, number>>;
}

/** A method beside its baseline. */
export interface SpeedRow {
  readonly method: string;
  readonly fraction: number;
  /** Absent for a method that the baseline lacks. */
  readonly baseline?: number;
  readonly isSlower: boolean;
}

/**
 * Share of the baseline below which a method counts as slower. Fractions of the same code differ by less on a loaded
 * machine: docs/speed.md.
 */
export const SLOWER = 0.7;

/**
 * The rate of a step over the rate of the matrix products: medians of pairs, so that a drift of the machine cancels.
 * Undefined without FLOPs.
 */
export function speedFraction({ flops, steps, products, product }: StepTimes): number | undefined {
  if (flops === undefined) return undefined;
  return median(steps.map((seconds, i) => flops / seconds / (2 * product ** 3 / products[i])));
}

/** Compares `times` with the baseline; methods without FLOPs are left out. */
export function compareSpeed(
  times: readonly StepTimes[],
  { fractions }: Pick<SpeedBaseline, "fractions">,
): SpeedRow[] {
  return times.flatMap((row): SpeedRow[] => {
    const fraction = speedFraction(row);
    if (fraction === undefined) return [];
    const baseline = fractions[row.method];
    const isSlower = baseline !== undefined && fraction < SLOWER * baseline;
    return [{ method: row.method, fraction, baseline, isSlower }];
  });
}
