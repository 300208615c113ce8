import jStat from "jstat";

/** A central interval, low to high. */
export type Interval = readonly [number, number];

/**
 * Student's t interval for the mean of a normal distribution from `n` draws with sample mean `mean` and sample standard
 * deviation `std` (divisor n - 1): mean ± t std / sqrt(n), with t the quantile of n - 1 degrees of freedom. Null below two
 * draws. Throws RangeError for a level outside (0, 1).
 */
export function studentInterval(
  { mean, std, n }: { readonly mean: number; readonly std: number | null; readonly n: number },
  level = 0.95,
): Interval | null {
  if (!(level > 0 && level < 1)) throw new RangeError(`level must be in (0, 1), got ${level}`);
  if (std === null || n < 2) return null;
  const half = studentQuantile((1 + level) / 2, n - 1) * std / Math.sqrt(n);
  return [mean - half, mean + half];
}

/** Quantile `p` of Student's t distribution with `degrees` degrees of freedom. */
function studentQuantile(p: number, degrees: number): number {
  return (jStat as unknown as StudentT).studentt.inv(p, degrees);
}

/** The used part of jStat, which has no types. */
interface StudentT {
  readonly studentt: { inv(p: number, degrees: number): number };
}
