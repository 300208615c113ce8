/**
 * Tests that paired differences D = T(z') - T(z) are symmetric about 0, as they are when z and z' are exchangeable: the
 * one-draw form of simulation-based calibration (Talts et al. 2018; Modrak et al. 2023).
 *
 * @module
 */
import { twoSidedTail } from "./normal_tail.ts";

/** Bins of the histogram of signed ranks. */
export const RANK_BINS = 20;

/** What the differences of one statistic say. */
export interface SymmetryTest {
  /** Wilcoxon's signed-rank statistic, about N(0, 1) if the differences are symmetric about 0 and 40 or more. */
  readonly z: number;
  /** Two-sided p-value of `z`. */
  readonly p: number;
  /** Two-sided p-value of the sign test. */
  readonly signP: number;
  /** 2 P(D > 0) - 1, ties split in half: 0 under symmetry, 1 if D is always positive. */
  readonly effect: number;
  /** Differences that are exactly 0: many mean that z' repeats z. */
  readonly ties: number;
  /** Counts of rank(|D|) sign(D) / n in RANK_BINS equal bins of [-1, 1], without ties: flat under symmetry. */
  readonly histogram: readonly number[];
}

/**
 * Signed-rank and sign test of `differences`, all finite. Equal sizes share their mean rank; ties keep their ranks and enter
 * no sum (Pratt 1959). Throws RangeError for none.
 */
export function symmetryTest(differences: ArrayLike<number>): SymmetryTest {
  const count = differences.length;
  if (count === 0) throw new RangeError("A test of no differences");
  const sizes = Float64Array.from(differences, Math.abs);
  const ranks = meanRanks(sizes);
  let [sum, squares, positive, ties] = [0, 0, 0, 0];
  const histogram = Array<number>(RANK_BINS).fill(0);
  for (let i = 0; i < count; i++) {
    const sign = Math.sign(differences[i]);
    if (sign === 0) {
      ties++;
      continue;
    }
    sum += sign * ranks[i];
    squares += ranks[i] ** 2;
    if (sign > 0) positive++;
    // Middles of n equal cells, so that every pair of opposite bins gets its share of the ranks.
    const place = (1 + sign * (ranks[i] - 0.5) / count) / 2;
    histogram[Math.min(RANK_BINS - 1, Math.floor(place * RANK_BINS))]++;
  }
  const z = squares === 0 ? 0 : sum / Math.sqrt(squares);
  return {
    z,
    p: twoSidedTail(z),
    signP: signTail(positive + ties / 2, count),
    effect: 2 * (positive + ties / 2) / count - 1,
    ties,
    histogram,
  };
}

/** Ranks of `values` from 1, equal values sharing the mean of theirs. */
function meanRanks(values: Float64Array): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b]);
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let i = from; i < to; i++) ranks[order[i]] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}

/** P(|X - n/2| >= |k - n/2|) of X ~ Binomial(n, 1/2), at most 1; a half-integer k is moved towards n/2. */
function signTail(k: number, n: number): number {
  const least = Math.floor(Math.max(k, n - k));
  if (2 * least <= n) return 1;
  let term = -n * Math.LN2; // log P(X = n)
  let tail = 0;
  for (let i = n; i >= least; i--) {
    tail += Math.exp(term);
    term += Math.log(i / (n - i + 1)); // to P(X = i - 1)
  }
  return Math.min(1, 2 * tail);
}

/** Half the width of the 95 % band of the effect of `count` differences under symmetry. */
export function effectBand(count: number): number {
  return 1.96 / Math.sqrt(count);
}

/** The level 1e-3 shared by five statistics (Bonferroni), and its two-sided quantile. */
export const LEVEL = 2e-4;
const LEVEL_QUANTILE = 3.719;
/** The quantile of power 0.99. */
const POWER_QUANTILE = 2.326;

/**
 * The smallest effect 2 P(D > 0) - 1 that the signed-rank test of `count` differences finds at LEVEL with power 0.99, for
 * differences that are a shifted normal: there it needs 2/3 of the sign test's count (Pitman efficiency), whose count for the
 * effect e is ((a + b sqrt(1 - e^2)) / e)^2 with the two quantiles a and b. At most 1.
 */
export function smallestEffect(count: number): number {
  // e = (a + b sqrt(1 - e^2)) / sqrt(n) is a quadratic in e: (n + b^2) e^2 - 2 a sqrt(n) e + a^2 - b^2 = 0.
  const [a, b, n] = [LEVEL_QUANTILE, POWER_QUANTILE, 1.5 * count];
  const root = Math.sqrt(a * a * n - (n + b * b) * (a * a - b * b));
  const effect = (a * Math.sqrt(n) + root) / (n + b * b);
  return Number.isFinite(effect) ? Math.min(1, effect) : 1;
}
