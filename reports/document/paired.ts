import { type Interval, studentInterval } from "../../harness/statistics/student.ts";
import { mean, sampleStd } from "../../harness/statistics/summary.ts";

/** A number of one run. */
export interface SeedValue {
  readonly seed: number;
  readonly value: number;
}

/** Differences of two sets of runs at equal seeds. */
export interface PairedDifference {
  /** Mean of here minus there. */
  readonly mean: number;
  /** Sample standard deviation of the differences; null for one pair. */
  readonly std: number | null;
  /** Pairs. */
  readonly n: number;
  /** 95 % Student-t interval of the mean difference; null for one pair. */
  readonly interval: Interval | null;
  /** `lower` or `higher` if the interval leaves out 0, otherwise `unclear`. */
  readonly finding: "lower" | "higher" | "unclear";
  /** Whether the finding rests on the differences being normal: a sign test of so few pairs cannot reach 5 %. */
  readonly isWeak: boolean;
}

/** The least number of pairs of which the two-sided sign test can reach 5 %: 2^(1 - 6) = 3 %, and 2^(1 - 5) = 6 %. */
const LEAST_PAIRS = 6;

/** The differences of `here` and `there` at the seeds of both; null without any. Of a seed with several runs, the first counts. */
export function pairedDifference(
  here: readonly SeedValue[],
  there: readonly SeedValue[],
): PairedDifference | null {
  const seeds = [...new Set(here.map(({ seed }) => seed))];
  const differences = seeds.flatMap((seed) => {
    const [a, b] = [here, there].map((values) => values.find((one) => one.seed === seed)?.value);
    return a === undefined || b === undefined ? [] : [a - b];
  });
  if (differences.length === 0) return null;
  const spread = { mean: mean(differences), std: sampleStd(differences), n: differences.length };
  const interval = studentInterval(spread);
  const finding = interval === null || (interval[0] <= 0 && interval[1] >= 0)
    ? "unclear"
    : interval[1] < 0
    ? "lower"
    : "higher";
  return { ...spread, interval, finding, isWeak: spread.n < LEAST_PAIRS };
}
