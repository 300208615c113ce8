import type { Problem } from "../../harness/core/types.ts";
import { featureCount, type NetHyper, samplerFeatureCount } from "./architectures.ts";

/** What decides how many chains share how many features. */
export type RankHyper =
  & NetHyper
  & Readonly<{ variant: string; inputDim: number; chainCount: number }>;

/**
 * Theorem 1, condition 2, of the paper: amortized chains are free of each other only with as many independent features as
 * rows. With d features for n rows the leverages sum to d, so that stationary variances are d / n of the posterior's on
 * average (harness/statistics/leverage.ts). The chain of variant=neurips sees one minibatch at a time.
 */
export function rankWarnings(
  { image, trainCount, batchSize }: Problem,
  hyper: RankHyper,
): string[] {
  const encoder = featureCount(image, hyper);
  if (hyper.variant === "neurips") return shortage(encoder, batchSize, "encoder", "rows a batch");
  const sampler = samplerFeatureCount(hyper.inputDim, hyper);
  return [
    ...shortage(encoder, trainCount, "encoder", "rows"),
    ...shortage(sampler, hyper.chainCount || trainCount, "sampler", "prior chains"),
  ];
}

function shortage(features: number, count: number, net: string, what: string): string[] {
  if (features >= count) return [];
  const share = (100 * features / count).toPrecision(2);
  return [
    `${features} ${net} features for ${count} ${what}: variances shrink to ${share} % on average`,
  ];
}
