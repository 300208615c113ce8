/**
 * Cholesky factor of a positive semidefinite matrix, with complete pivoting, which also finds its rank.
 *
 * @module
 */
import { addRowProducts, type Rows } from "./row_products.ts";

/** P^T C P = L L^T, where (P^T C P)(i, j) = C(order[i], order[j]). */
export interface PivotedCholesky {
  /** Columns of L: the numerical rank of C. */
  readonly rank: number;
  /** The pivots, [d]: row i of L belongs to variable order[i]. */
  readonly order: Uint32Array;
  /** L^T, upper trapezoidal [rank, d]: so its rows are the columns of L; zeros below the diagonal. */
  readonly transposed: Float64Array;
}

/** Pivots found before the rest of the matrix is brought up to date by one product of rows. */
const PANEL = 64;

/**
 * Factors the symmetric positive semidefinite `matrix` [d, d] (Lucas 2004, "LAPACK-style codes for
 * level 2 and 3 pivoted Cholesky factorizations"; the blocked form, as LAPACK's dpstrf).
 *
 * The rank is at most `maxRank`; the factorization stops where the largest variance left falls to
 * `4 eps` times the largest of all, which is the rounding error of the input. Throws RangeError when
 * the matrix has a negative or non-finite diagonal, so is no covariance.
 */
export function pivotedCholesky(
  matrix: Float64Array,
  d: number,
  maxRank: number = d,
): PivotedCholesky {
  const rest = matrix.slice(); // what is left to factor, kept square and symmetric in the pivots' order
  const factor = new Float64Array(d * d); // L, row-major [d, d], columns beyond the rank zero
  const order = Uint32Array.from({ length: d }, (_, i) => i);
  const left = Float64Array.from({ length: d }, (_, i) => matrix[i * d + i]); // variances left
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
        let sum = rest[i * d + c]; // up to date but for the columns of this panel
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
