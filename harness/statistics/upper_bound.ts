/** The law of a statistic. */
export interface Law {
  readonly mean: number;
  readonly std: number;
  /** Where it begins, of a statistic that is about a sum of few squares: its tail above is long. None: it is about normal. */
  readonly least?: number;
}

/**
 * How far a statistic goes by chance: the quantile that a normal law has at so many `deviations`. For one that begins at
 * `least` it is a gamma law's: a sum of few squares is beyond its mean and six deviations once in a thousand draws, but its
 * cube root is about normal. Wilson and Hilferty 1931, chi-square's degrees being twice the shape (mean - least)^2 / std^2.
 */
export function reachOf({ mean, std, least }: Law, deviations: number): number {
  if (least === undefined) return mean + deviations * std;
  const scale = mean - least;
  const spread = std / scale / 3; // of the cube root, which is about 1
  return least + scale * (1 - spread ** 2 + deviations * spread) ** 3;
}
