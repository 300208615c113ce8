/**
 * Random search over the ranges that methods declare beside their defaults (Bergstra and Bengio 2012): each trial draws every
 * ranged hyperparameter independently, so that a trial is a pure function of method and index.
 *
 * @module
 */
import { draws, foldIn, keyOf } from "../core/noise.ts";
import type { Hyperparams, Method, SearchRange } from "../core/types.ts";

/** The value of `range` at `unit` in [0, 1). */
export function valueAt(range: SearchRange, unit: number): number | string | boolean {
  switch (range.scale) {
    case "choice":
      return range.values[Math.floor(unit * range.values.length)];
    case "integer":
      return range.low + Math.floor(unit * (range.high - range.low + 1));
    case "linear":
      return rounded(range.low + unit * (range.high - range.low));
    case "log":
      return rounded(range.low * (range.high / range.low) ** unit);
  }
}

/** Three significant digits: a setting that a person can type. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/**
 * Hyperparameters of trial `index` of `method`: trial 0 has the defaults, which `base` may override; the others draw each
 * ranged hyperparameter anew.
 */
export function trialHyper(
  method: Method,
  { base, index }: { readonly base: Hyperparams; readonly index: number },
): Hyperparams {
  if (index === 0) return base;
  const key = ["tuning", method.name, index].reduce(foldIn, keyOf(0));
  const drawn = Object.entries(method.ranges ?? {}).map(([name, range]) => {
    const [unit] = draws(foldIn(key, name), { counter: 0, count: 1, kind: "uniform" });
    return [name, valueAt(range, unit)] as const;
  });
  return { ...base, ...Object.fromEntries(drawn) };
}

/**
 * Expected best of `n` trials drawn without replacement from those that scored `values`, lower is better:
 * sum_i v_(i) C(B - i, n - 1) / C(B, n) with v_(1) <= ... <= v_(B) (the unbiased form of Tang et al. 2020). n = 1 is the
 * mean, n = B the best. Infinite values, trials that diverged, count as they are. Throws RangeError unless 1 <= n <= B.
 */
export function expectedBest(values: readonly number[], n: number): number {
  const count = values.length;
  if (!(Number.isInteger(n) && n >= 1 && n <= count)) {
    throw new RangeError(`n must be an integer from 1 to ${count}, got ${n}`);
  }
  const sorted = values.toSorted((a, b) => a - b);
  // The weight of the i-th best, from that of the best, n / B, by C(B - i - 1, n - 1) / C(B - i, n - 1) = (B - i - n + 1) / (B - i).
  let weight = n / count;
  let sum = 0;
  for (let i = 1; i <= count - n + 1; i++) {
    sum += weight * sorted[i - 1];
    weight *= (count - i - n + 1) / (count - i);
  }
  return sum;
}
