/**
 * Warns if amortized chains have too few features. Theorem 1, condition 2, of the paper: chains that share a last layer are
 * independent only with as many linearly independent features as chains. With d features for n chains the leverages sum to d,
 * so stationary variances are d / n of the posterior's on average (harness/statistics/leverage.ts).
 */
export function shortageOf(
  net: string,
  { features, chains }: { readonly features: number; readonly chains: number },
  kind: string,
): readonly string[] {
  if (features >= chains) return [];
  const share = (100 * features / chains).toPrecision(2);
  return [
    `${features} ${net} features for ${chains} ${kind}: variances shrink to ${share} % on average`,
  ];
}
