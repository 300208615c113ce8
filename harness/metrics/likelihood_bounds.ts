import type { LikelihoodBound, Metric, Score } from "../core/types.ts";

const bound = (importanceSamples: number): LikelihoodBound => ({
  name: importanceSamples === 1 ? "nelbo" : `niwae_${importanceSamples}`,
  label: importanceSamples === 1 ? "-ELBO, nats/dim" : `-IWAE (k = ${importanceSamples}), nats/dim`,
  better: "lower",
  importanceSamples,
  against: "test",
});

/**
 * Bounds on -log p(x) of the test images: the negative ELBO, which the NeurIPS version of LAE reports, and
 * importance-weighted bounds (Burda et al. 2016), which compare methods with different kinds of q. Each k divides the
 * largest.
 */
export const BOUNDS: Readonly<Record<string, LikelihoodBound>> = Object.fromEntries(
  [1, 10, 100].map(bound).map((entry) => [entry.name, entry]),
);

/** Whether `score` judges the model itself, not its samples. */
export function isBound(score: Score): score is LikelihoodBound {
  return "importanceSamples" in score;
}

/** Whether `score` judges samples. */
export function isMetric(score: Score): score is Metric {
  return !isBound(score);
}

/** Reason why a model without the capability `likelihood` has no bound. */
export const NO_BOUND = "it lacks a q(z | x) or a prior with a known normalising constant";
