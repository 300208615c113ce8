/**
 * Chains that are long enough to measure a distribution by: after training only.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { Noise } from "../../harness/core/types.ts";
import {
  type PosteriorChainHyper,
  priorChain,
  type PriorChainHyper,
  type PriorEnergy,
} from "./latent_chains.ts";

/**
 * The chain of `hyper` made long enough to forget its start but for the variance: for a time of one, eta K = 1, in which a
 * direction that the prior alone holds, of precision 1, reaches 1 - e^-2 = 86 % of its variance.
 */
export function longChain(
  { posteriorStepSize }: Pick<PosteriorChainHyper, "posteriorStepSize">,
): PosteriorChainHyper {
  return { posteriorStepSize, posteriorSteps: Math.ceil(1 / posteriorStepSize) };
}

/**
 * A time of ten, eta K = 10, in which a direction of the Gaussian base, of precision 1, forgets its start up to e^-10. A step
 * of 0.02 is stable where no curvature passes 2 / eta = 100, and widens the base's variance by 1 %.
 */
const LONG_PRIOR_CHAIN: PriorChainHyper = { priorSteps: 500, priorStepSize: 0.02 };

/** Ends of long chains for a learned prior of `energy` on a Gaussian base, from N(0, I): of `shape` [count, latentDim]. */
export function longPriorChains(
  energy: PriorEnergy,
  { shape, noise }: { readonly shape: readonly [number, number]; readonly noise: Noise },
): tf.Tensor2D {
  const start = noise.split("longStart").normal<tf.Tensor2D>(shape);
  return priorChain(energy, { start, hyper: LONG_PRIOR_CHAIN, noise: noise.split("long") });
}
