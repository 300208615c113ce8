/**
 * FID without its bias in the number of samples (Chong and Forsyth 2020, "Effectively unbiased FID and Inception Score
 * and where to find them", arXiv:1911.07023). FID(n) is about FID(infinity) + c / n, so a line in 1/n through the FIDs
 * for several n has the intercept FID(infinity).
 *
 * @module
 */
import { shuffledRows } from "../../core/row_order.ts";
import { foldIn, keyOf } from "../../core/noise.ts";
import { openStatistics } from "./covariance.ts";
import { type FeatureTable, selectRows } from "./feature_table.ts";
import { frechetDistance } from "./frechet.ts";
import type { Statistics } from "./feature_statistics.ts";

/** Number of FIDs on the line, as in the paper's code (score_infinity.py). */
export const INFINITY_POINTS = 15;
/** Number of samples of the smallest subset, as in the paper's code. */
export const INFINITY_FEWEST = 5000;

/** Fewest samples: the smallest subset is half of them, and statistics need two. */
export const INFINITY_MINIMUM = 4;

/** The line value = intercept + slope / count. */
export interface Extrapolation {
  readonly intercept: number;
  readonly slope: number;
}

/**
 * Estimates the FID of infinitely many samples from random subsets of `samples`, relative to the statistics of the real
 * images. With fewer than 10,000 samples, the smallest subset has half of them. Throws RangeError for fewer than 4.
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
  if (samples.count < INFINITY_MINIMUM) {
    throw new RangeError(
      `FID-infinity needs at least ${INFINITY_MINIMUM} samples, got ${samples.count}`,
    );
  }
  const fewest = Math.min(INFINITY_FEWEST, Math.floor(samples.count / 2));
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

/** Fits a least-squares line to values against 1 / count. Throws RangeError if all counts are equal. */
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
  if (variance === 0) {
    throw new RangeError("Extrapolation needs values at two different counts at least");
  }
  const slope = covariance / variance;
  return { intercept: meanY - slope * meanX, slope };
}
