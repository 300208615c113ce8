/**
 * P(|Z| > |z|) of a standard normal Z, with a relative error below 2e-7: the Chebyshev fit to erfc of Press et al.,
 * Numerical Recipes, 2nd edition, section 6.2.
 */
export function twoSidedTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  return Math.min(1, t * Math.exp(-x * x + ERFC.reduceRight((sum, c) => sum * t + c, 0)));
}

/** Coefficients of log(erfc(x) / t) + x^2 by powers of t = 1 / (1 + x / 2). */
const ERFC = [
  -1.26551223,
  1.00002368,
  0.37409196,
  0.09678418,
  -0.18628806,
  0.27886807,
  -1.13520398,
  1.48851587,
  -0.82215223,
  0.17087277,
];
