/**
 * Small dense matrices as rows of numbers, in float64.
 *
 * @module
 */
import type { Matrix } from "../core/types.ts";

/** Dot product of two vectors of equal length. */
export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, v, i) => sum + v * b[i], 0);
}

/** Product a x of a matrix [rows, columns] and a vector [columns]. */
export function multiply(a: Matrix, x: readonly number[]): number[] {
  return a.map((row) => dot(row, x));
}

/** Transpose of a matrix with at least one row. */
export function transpose(a: Matrix): number[][] {
  return a[0].map((_, j) => a.map((row) => row[j]));
}

/** A row depends on the previous rows if its component outside their span is shorter than this times the row. */
const RANK_TOLERANCE = 1e-8;

/**
 * Orthonormal basis of the span of the rows of `a`, in row order: modified Gram-Schmidt, applied twice for accuracy.
 * Rows that depend on previous rows add no vector.
 */
export function orthonormalise(a: Matrix): number[][] {
  const basis: number[][] = [];
  for (const row of a) {
    const v = [...row];
    const length = Math.hypot(...v);
    for (let pass = 0; pass < 2; pass++) {
      for (const u of basis) {
        const c = dot(u, v);
        u.forEach((value, i) => v[i] -= c * value);
      }
    }
    const rest = Math.hypot(...v);
    if (rest > RANK_TOLERANCE * length) basis.push(v.map((value) => value / rest));
  }
  return basis;
}

/** Inverse of a symmetric 2x2 matrix. Throws RangeError if it is not symmetric and positive definite. */
export function inverse2x2([[a, b], [c, d]]: Matrix): number[][] {
  const determinant = a * d - b * c;
  if (b !== c || !(a > 0 && determinant > 0)) {
    throw new RangeError(
      `Matrix must be symmetric and positive definite, got [[${a}, ${b}], [${c}, ${d}]]`,
    );
  }
  return [[d / determinant, -b / determinant], [-c / determinant, a / determinant]];
}
