/**
 * How far a statistic goes by chance that is about a sum of few squares from `least` on, of this mean and standard deviation:
 * the quantile of a gamma law that a normal one has at so many `deviations`. A sum of few squares is beyond its mean and six
 * deviations once in a thousand draws; its cube root is about normal. Wilson and Hilferty 1931, chi-square's degrees being
 * twice the shape (mean - least)^2 / std^2.
 */
export function gammaReach(
  { mean, std, least, deviations }: {
    readonly mean: number;
    readonly std: number;
    readonly least: number;
    readonly deviations: number;
  },
): number {
  const scale = mean - least;
  const spread = std / scale / 3; // of the cube root, which is about 1
  return least + scale * (1 - spread ** 2 + deviations * spread) ** 3;
}
