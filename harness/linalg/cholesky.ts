import type { Matrix } from "../core/types.ts";

/** Log determinant of the symmetric matrix `a`; -Infinity if `a` is not positive definite, possibly by rounding. */
export function logDeterminant(a: Matrix): number {
  try {
    return 2 * cholesky(a).reduce((sum, row, i) => sum + Math.log(row[i]), 0);
  } catch (error) {
    if (error instanceof RangeError) return -Infinity;
    throw error;
  }
}

/** Lower triangular L with L L' = `a`. Throws RangeError if `a` is not positive definite. */
export function cholesky(a: Matrix): number[][] {
  const l = a.map((row) => row.map(() => 0));
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = a[i][j];
      for (let k = 0; k < j; k++) rest -= l[i][k] * l[j][k];
      if (i === j && !(rest > 0)) {
        throw new RangeError(`Matrix is not positive definite: pivot ${rest} in row ${i}`);
      }
      l[i][j] = i === j ? Math.sqrt(rest) : rest / l[j][j];
    }
  }
  return l;
}

/** Solves L x = b for lower triangular L [n, n] by forward substitution. */
export function solveLower(l: Matrix, b: readonly number[]): number[] {
  const x: number[] = [];
  b.forEach((value, i) => {
    x.push((value - x.reduce((sum, v, k) => sum + l[i][k] * v, 0)) / l[i][i]);
  });
  return x;
}
