/** Distribution of a statistic under the hypothesis that a sampler is exact. */
export interface Distribution {
  readonly mean: number;
  readonly std: number;
  /** Minimum of a statistic that is about a sum of few squares, with a long upper tail; absent if it is about normal. */
  readonly minimum?: number;
}

/**
 * Upper bound that a statistic exceeds by chance with the probability with which a normal variable exceeds `deviations`
 * standard deviations. A statistic with a `minimum` is taken as gamma distributed: a sum of few squares exceeds its mean
 * by six standard deviations once in a thousand draws, but its cube root is about normal. Wilson and Hilferty 1931, with
 * the degrees of freedom of chi-square equal to twice the shape (mean - minimum)^2 / std^2.
 */
export function upperBound({ mean, std, minimum }: Distribution, deviations: number): number {
  if (minimum === undefined) return mean + deviations * std;
  const scale = mean - minimum;
  const spread = std / scale / 3; // standard deviation of the cube root, which is about 1
  return minimum + scale * (1 - spread ** 2 + deviations * spread) ** 3;
}
