/**
 * Cholesky factorization of a positive semidefinite matrix with complete pivoting, which also determines its rank.
 *
 * @module
 */
import { addRowProducts, type Rows } from "./row_products.ts";

/** The factorization P^T C P = L L^T, where (P^T C P)(i, j) = C(order[i], order[j]). */
export interface PivotedCholesky {
  /** Number of columns of L: the numerical rank of C. */
  readonly rank: number;
  /** The pivots, [d]: row i of L belongs to variable order[i]. */
  readonly order: Uint32Array;
  /** L^T, upper trapezoidal [rank, d]: its rows are the columns of L, with zeros below the diagonal. */
  readonly transposed: Float64Array;
}

/** Number of pivots factored between updates of the remaining matrix, each update one product of rows. */
const PANEL = 64;

/**
 * Factors the symmetric positive semidefinite `matrix` [d, d] (Lucas 2004, "LAPACK-style codes for
 * level 2 and 3 pivoted Cholesky factorizations"; the blocked form, as in LAPACK's dpstrf).
 *
 * The rank is at most `maxRank`. The factorization stops when the largest remaining variance falls to `4 eps` times
 * the largest of all, the rounding error of the input. Throws RangeError if a diagonal entry is negative or not
 * finite, so that the matrix is not a covariance.
 */
export function pivotedCholesky(
  matrix: Float64Array,
  d: number,
  maxRank: number = d,
): PivotedCholesky {
  const rest = matrix.slice(); // not yet factored; kept square and symmetric, in pivot order
  const factor = new Float64Array(d * d); // L, row-major [d, d]; columns beyond the rank are zero
  const order = Uint32Array.from({ length: d }, (_, i) => i);
  const left = Float64Array.from({ length: d }, (_, i) => matrix[i * d + i]); // remaining variances
  const largest = left.reduce((a, b) => Math.max(a, b), 0);
  const worst = left.findIndex((v) => !(v >= -4 * Number.EPSILON * largest && v < Infinity));
  if (worst >= 0) {
    throw new RangeError(`Variance of feature ${worst} is ${left[worst]}: not a covariance matrix`);
  }
  const floor = 4 * Number.EPSILON * largest;
  let rank = 0;
  factoring: for (let start = 0; start < Math.min(d, maxRank); start += PANEL) {
    const end = Math.min(start + PANEL, d, maxRank);
    for (let c = start; c < end; c++) {
      let pivot = c;
      for (let i = c + 1; i < d; i++) if (left[i] > left[pivot]) pivot = i;
      if (!(left[pivot] > floor)) break factoring;
      if (pivot !== c) swap(pivot, c);
      const diagonal = Math.sqrt(left[c]);
      factor[c * d + c] = diagonal;
      for (let i = c + 1; i < d; i++) {
        let sum = rest[i * d + c]; // lacks only the updates by this panel's columns
        for (let k = start; k < c; k++) sum -= factor[i * d + k] * factor[c * d + k];
        const entry = factor[i * d + c] = sum / diagonal;
        left[i] -= entry * entry;
      }
      rank = c + 1;
    }
    const tail = (data: Float64Array, column: number): Rows => ({
      data,
      offset: end * d + column,
      stride: d,
      count: d - end,
    });
    const panel = tail(factor, start);
    addRowProducts(tail(rest, end), {
      a: panel,
      b: panel,
      to: end - start,
      scale: -1,
      lower: true,
    });
    for (let i = end; i < d; i++) for (let j = end; j < i; j++) rest[j * d + i] = rest[i * d + j];
  }

  function swap(i: number, j: number): void {
    [order[i], order[j]] = [order[j], order[i]];
    [left[i], left[j]] = [left[j], left[i]];
    for (let k = 0; k < d; k++) {
      [factor[i * d + k], factor[j * d + k]] = [factor[j * d + k], factor[i * d + k]];
      [rest[i * d + k], rest[j * d + k]] = [rest[j * d + k], rest[i * d + k]];
    }
    for (let k = 0; k < d; k++) {
      [rest[k * d + i], rest[k * d + j]] = [rest[k * d + j], rest[k * d + i]];
    }
  }

  const transposed = new Float64Array(rank * d);
  for (let i = 0; i < d; i++) {
    for (let c = 0; c < Math.min(rank, i + 1); c++) transposed[c * d + i] = factor[i * d + c];
  }
  return { rank, order, transposed };
}
