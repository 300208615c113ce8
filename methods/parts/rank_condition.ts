/**
 * The rank condition of amortized chains. Theorem 1, condition 2, of the paper: chains that share a last layer are independent
 * only with as many linearly independent features as chains. With d features for n chains the leverages sum to d, so stationary
 * variances are d / n of the posterior's on average (harness/statistics/leverage.ts), and T d / n at temperature T.
 *
 * @module
 */

/** Features of a network, and the chains that share its last layer. */
export interface Sharing {
  readonly features: number;
  readonly chains: number;
}

/** The least temperature, from 1, at which the stationary variances are the posterior's on average over the chains. */
export function averagingTemperature({ features, chains }: Sharing): number {
  return Math.max(1, chains / features);
}

/** Warns if amortized chains at `temperature` have too few features; `kind` names the chains. */
export function shortageOf(
  net: string,
  { features, chains, temperature = 1 }: Sharing & { readonly temperature?: number },
  kind: string,
): readonly string[] {
  if (features >= chains) return [];
  const share = Math.min(1, temperature * features / chains);
  const effect = share < 1
    ? `variances shrink to ${(100 * share).toPrecision(2)} % on average`
    : `at temperature ${
      temperature.toPrecision(2)
    } variances are right on average, chains are not independent`;
  return [`${features} ${net} features for ${chains} ${kind}: ${effect}`];
}
