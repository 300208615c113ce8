import type { Matrix } from "../core/types.ts";

/**
 * Eigenvalues and eigenvectors (rows of `vectors`) of a symmetric matrix, unordered, by Jacobi rotations. Golub and Van
 * Loan, section 8.5.
 */
export function symmetricEigen(
  matrix: Matrix,
): { readonly values: number[]; readonly vectors: number[][] } {
  const a = matrix.map((row) => [...row]);
  const v = a.map((row, i) => row.map((_, j) => Number(i === j)));
  const size = a.length;
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        if (a[p][q] === 0) continue;
        const theta = Math.atan2(2 * a[p][q], a[q][q] - a[p][p]) / 2;
        const [c, s] = [Math.cos(theta), Math.sin(theta)];
        for (let k = 0; k < size; k++) {
          [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]];
        }
        for (let k = 0; k < size; k++) {
          [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
          [v[p][k], v[q][k]] = [c * v[p][k] - s * v[q][k], s * v[p][k] + c * v[q][k]];
        }
      }
    }
  }
  return { values: a.map((row, i) => row[i]), vectors: v };
}
