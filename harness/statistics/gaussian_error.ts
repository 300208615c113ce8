import type { Matrix } from "../core/types.ts";
import { cholesky, logDeterminant, solveLower } from "../linalg/cholesky.ts";
import { transpose } from "../linalg/matrix.ts";
import type { Sample } from "./sample.ts";

/** Mean and covariance (with divisor count - 1) of a sample, in float64. */
export interface Moments {
  readonly mean: readonly number[];
  readonly covariance: Matrix;
}

/** Computes the moments of a sample. Throws RangeError for fewer than two draws. */
export function momentsOf({ data, count, dim }: Sample): Moments {
  if (count < 2) throw new RangeError(`Moments need at least 2 draws, got ${count}`);
  const mean = Array<number>(dim).fill(0);
  for (let i = 0; i < count * dim; i++) mean[i % dim] += data[i] / count;
  const sums = new Float64Array(dim * dim); // lower triangle
  const away = new Float64Array(dim);
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < dim; i++) {
      const a = away[i] = data[n * dim + i] - mean[i];
      for (let j = 0; j <= i; j++) sums[i * dim + j] += a * away[j];
    }
  }
  const covariance = mean.map((_, i) =>
    mean.map((_, j) => sums[Math.max(i, j) * dim + Math.min(i, j)] / (count - 1))
  );
  return { mean, covariance };
}

/** Error of a sample's moments N(m, C) relative to a Gaussian N(m*, S). */
export interface GaussianError {
  /** Error of the mean in standard deviations: ||S^-1/2 (m - m*)||. */
  readonly mean: number;
  /** Relative error of the covariance: ||S^-1/2 C S^-1/2 - I|| in the Frobenius norm. */
  readonly covariance: number;
  /** KL(N(m, C) || N(m*, S)) in nats; infinite if C is singular. */
  readonly kl: number;
}

/** Computes the whitened errors of `moments` relative to the moments `truth` of a Gaussian, in float64. */
export function gaussianError(moments: Moments, truth: Moments): GaussianError {
  const factor = cholesky(truth.covariance);
  // L^-1 C L^-T has the eigenvalues of S^-1/2 C S^-1/2, hence the same norm, trace and determinant.
  const half = transpose(moments.covariance.map((row) => solveLower(factor, row)));
  const whitened = half.map((row) => solveLower(factor, row));
  const shift = solveLower(factor, moments.mean.map((m, i) => m - truth.mean[i]));
  const squares = shift.reduce((sum, v) => sum + v * v, 0);
  const trace = whitened.reduce((sum, row, i) => sum + row[i], 0);
  const logDet = logDeterminant(symmetrised(whitened));
  return {
    mean: Math.sqrt(squares),
    covariance: Math.hypot(...whitened.flatMap((row, i) => row.map((v, j) => v - Number(i === j)))),
    kl: (trace + squares - shift.length - logDet) / 2,
  };
}

function symmetrised(a: Matrix): number[][] {
  return a.map((row, i) => row.map((v, j) => (v + a[j][i]) / 2));
}
