/**
 * FID without its bias in the number of samples (Chong and Forsyth 2020, "Effectively unbiased FID and
 * Inception Score and where to find them", arXiv:1911.07023): FID(n) is close to FID(infinity) + c / n, so
 * a line in 1/n through FIDs of several n meets the axis at FID(infinity).
 *
 * @module
 */
import { shuffledRows } from "../../core/row_order.ts";
import { foldIn, keyOf } from "../../core/noise.ts";
import { openStatistics } from "./covariance.ts";
import { type FeatureTable, selectRows } from "./feature_table.ts";
import { frechetDistance } from "./frechet.ts";
import type { Statistics } from "./feature_statistics.ts";

/** FIDs on the line, and the fewest samples of one, as in the paper's code (score_infinity.py). */
export const INFINITY_POINTS = 15;
export const INFINITY_FEWEST = 5000;

/** A line value = intercept + slope / count. */
export interface Extrapolation {
  readonly intercept: number;
  readonly slope: number;
}

/**
 * FID of infinitely many samples, from random subsets of `samples` against the statistics of the real
 * images. With fewer than 10,000 samples the smallest subset is half of them.
 */
export async function fidInfinity(
  samples: FeatureTable,
  real: Statistics,
  { seed, threads, points = INFINITY_POINTS, progress }: {
    readonly seed: number;
    readonly threads: number;
    readonly points?: number;
    readonly progress?: (done: number, of: number) => void;
  },
): Promise<Extrapolation> {
  const fewest = Math.min(INFINITY_FEWEST, Math.floor(samples.count / 2));
  if (fewest < 2) {
    throw new RangeError(`FID-infinity needs 4 samples or more, got ${samples.count}`);
  }
  const key = foldIn(keyOf(seed), "fid_infinity");
  const values: { count: number; value: number }[] = [];
  for (let i = 0; i < points; i++) {
    const count = Math.round(fewest + (samples.count - fewest) * i / (points - 1));
    const rows = shuffledRows(key, i, samples.count).subarray(0, count);
    await using statistics = await openStatistics(samples.dim, { threads });
    await statistics.add(selectRows(samples, rows).data);
    values.push({ count, value: frechetDistance(await statistics.finish(), real) });
    progress?.(i + 1, points);
  }
  return extrapolate(values);
}

/** Least-squares line through values against 1 / count. */
export function extrapolate(
  points: readonly { readonly count: number; readonly value: number }[],
): Extrapolation {
  const n = points.length;
  const x = points.map(({ count }) => 1 / count);
  const meanX = x.reduce((a, b) => a + b, 0) / n;
  const meanY = points.reduce((sum, { value }) => sum + value, 0) / n;
  const covariance = points.reduce(
    (sum, { value }, i) => sum + (x[i] - meanX) * (value - meanY),
    0,
  );
  const variance = x.reduce((sum, xi) => sum + (xi - meanX) ** 2, 0);
  if (variance === 0) throw new RangeError("A line needs values of two different counts");
  const slope = covariance / variance;
  return { intercept: meanY - slope * meanX, slope };
}
