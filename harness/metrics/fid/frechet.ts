/**
 * The Fréchet distance between two Gaussians (Dowson & Landau 1982; FID, Heusel et al. 2017,
 * arXiv:1706.08500, eq. 6):
 *
 *   d^2 = |mu1 - mu2|^2 + Tr C1 + Tr C2 - 2 Tr (C1 C2)^(1/2)
 *
 * Deviation: this code does not compute a matrix square root. With C1 = L L^T, the non-zero eigenvalues of C1 C2 are
 * those of the symmetric L^T C2 L, so Tr (C1 C2)^(1/2) is the sum of their square roots. scipy's matrix square root,
 * which other codes use, becomes complex or fails for singular covariances (bioinf-jku/TTUR#4, mseitzer/pytorch-fid#13).
 *
 * @module
 */
import { pivotedCholesky } from "../../linalg/pivoted_cholesky.ts";
import { addRowProducts, rowsOf } from "../../linalg/row_products.ts";
import type { Statistics } from "./feature_statistics.ts";
import { symmetricEigenvalues } from "../../linalg/symmetric_eigenvalues.ts";

/**
 * Squared Fréchet distance of two Gaussians with statistics `a` and `b`; the FID if these are of Inception features.
 * Equal statistics give 0 up to rounding, which may be negative. Throws RangeError if the dimensions differ, a number is
 * not finite, or a matrix is not a covariance.
 */
export function frechetDistance(a: Statistics, b: Statistics): number {
  const d = a.mean.length;
  if (b.mean.length !== d) {
    throw new RangeError(
      `Statistics must have equal dimensions, got ${d} and ${b.mean.length} features`,
    );
  }
  checkFinite(a);
  checkFinite(b);
  const distance = a.mean.reduce((sum, m, i) => sum + (m - b.mean[i]) ** 2, 0);
  return distance + trace(a.covariance, d) + trace(b.covariance, d) - 2 * rootTrace(a, b);
}

/**
 * Tr (C1 C2)^(1/2) = |L1^T L2|_* for C1 = L1 L1^T, C2 = L2 L2^T: a sum of square roots of eigenvalues.
 *
 * Factors the covariance of the smaller set. Its rank r is at most n - 1, and L^T C2 L is [r, r], so few images cost
 * less and a singular matrix needs no jitter.
 */
export function rootTrace(a: Statistics, b: Statistics): number {
  const d = a.mean.length;
  const [small, large] = (a.count ?? Infinity) <= (b.count ?? Infinity) ? [a, b] : [b, a];
  const { rank, order, transposed } = pivotedCholesky(
    small.covariance,
    d,
    Math.min(d, (small.count ?? Infinity) - 1),
  );
  // The large entries of L^T C2 L belong to the first pivots; the eigenvalue solver needs them last.
  const factor = rowsOf(transposed, rank); // L^T, [rank, d]
  const other = rowsOf(permute(large.covariance, order), d); // P^T C2 P, [d, d]
  const half = rowsOf(new Float64Array(rank * d), rank); // L^T C2
  addRowProducts(half, { a: factor, b: other, to: d, scale: 1, aIsUpper: true });
  const whole = rowsOf(new Float64Array(rank * rank), rank); // L^T C2 L, lower triangle
  addRowProducts(whole, { a: factor, b: half, to: d, scale: 1, lower: true, aIsUpper: true });
  const eigenvalues = symmetricEigenvalues(reversed(whole.data, rank), rank);
  const [smallest, largest] = [eigenvalues[0] ?? 0, eigenvalues[rank - 1] ?? 0];
  if (smallest < -NEGATIVE_LIMIT * largest) {
    throw new RangeError(
      `Eigenvalue ${smallest} of the product of covariances is negative (the largest is ${largest}): a covariance is not positive semidefinite`,
    );
  }
  return eigenvalues.reduce((sum, value) => sum + Math.sqrt(Math.max(value, 0)), 0);
}

/**
 * Largest negative eigenvalue attributed to rounding, relative to the largest eigenvalue. Rounding changes zero
 * eigenvalues by about d * eps = 5e-13 of the largest (d = 2048); beyond the limit, an input is not a covariance.
 */
const NEGATIVE_LIMIT = 1e-8;

function checkFinite({ mean, covariance }: Statistics): void {
  if (!mean.every(Number.isFinite) || !covariance.every(Number.isFinite)) {
    throw new RangeError("Statistics have entries that are not finite: compute them again");
  }
}

function trace(matrix: Float64Array, d: number): number {
  let sum = 0;
  for (let i = 0; i < d; i++) sum += matrix[i * d + i];
  return sum;
}

/** Permutes rows and columns: entry (i, j) is matrix(order[i], order[j]). */
function permute(matrix: Float64Array, order: Uint32Array): Float64Array {
  const d = order.length;
  const out = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    const row = order[i] * d;
    for (let j = 0; j < d; j++) out[i * d + j] = matrix[row + order[j]];
  }
  return out;
}

/** Reverses rows and columns of a symmetric matrix; reads and writes the lower triangle. */
function reversed(matrix: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) out[(n - 1 - j) * n + (n - 1 - i)] = matrix[i * n + j];
  }
  return out;
}
