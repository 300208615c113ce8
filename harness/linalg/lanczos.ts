import { symmetricEigenvalues } from "./symmetric_eigenvalues.ts";

/** Coefficients of k Lanczos iterations: the symmetric tridiagonal matrix T = V' H V with orthonormal V [d, k]. */
export interface LanczosCoefficients {
  /** [k]. */
  readonly diagonal: ArrayLike<number>;
  /** [k - 1]; entries beyond are ignored. */
  readonly offDiagonal: ArrayLike<number>;
}

/**
 * The largest eigenvalue of T: the largest Rayleigh quotient of H over the Krylov space, a lower bound on the largest
 * eigenvalue of H. Golub and Van Loan, Matrix Computations, 4th ed., 10.1. NaN where a coefficient is not finite.
 */
export function largestRitzValue({ diagonal, offDiagonal }: LanczosCoefficients): number {
  const n = diagonal.length;
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    matrix[i * n + i] = diagonal[i];
    if (i > 0) matrix[i * n + i - 1] = matrix[(i - 1) * n + i] = offDiagonal[i - 1];
  }
  if (!matrix.every(Number.isFinite)) return NaN;
  return symmetricEigenvalues(matrix, n)[n - 1];
}
