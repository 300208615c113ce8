/**
 * The entropy of the class frequencies p of `counts`, sum p log(1 / p) in nats. Of n draws it is too small by about
 * (K - 1) / (2 n) (Miller 1955), so compare entropies of equal n only. Throws RangeError without any count.
 */
export function entropyOf(counts: readonly number[]): number {
  return sumOver(counts, (p) => p * Math.log(1 / p));
}

/**
 * The standard error of `entropyOf(counts)` over the n draws that were counted. The first order is
 * (sum p log^2 p - H^2) / n; estimated from counts it is (K - 1) / n^2 too large at equal frequencies, which is taken off.
 * There it vanishes, and the variance of chi^2_{K-1} / (2 n) is left: (K - 1) / (2 n^2).
 */
export function entropyStandardError(counts: readonly number[]): number {
  const n = counts.reduce((total, count) => total + count, 0);
  const first = sumOver(counts, (p) => p * Math.log(p) ** 2) - entropyOf(counts) ** 2;
  const second = (counts.length - 1) / (2 * n ** 2);
  return Math.sqrt(Math.max(0, first / n - 2 * second) + second);
}

/** The sum of `term` over the frequencies that are not zero. */
function sumOver(counts: readonly number[], term: (p: number) => number): number {
  const n = counts.reduce((total, count) => total + count, 0);
  if (n === 0) throw new RangeError("The entropy of no observations");
  return counts.filter((count) => count > 0)
    .reduce((total, count) => total + term(count / n), 0);
}
