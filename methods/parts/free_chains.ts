/**
 * Long chains that measure distributions after training.
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
 * Lengthens the chain of `hyper` to a time of one, eta K = 1, in which a direction that only the prior constrains, of precision
 * 1, reaches 1 - e^-2 = 86 % of its variance.
 */
export function longChain(
  { posteriorStepSize }: Pick<PosteriorChainHyper, "posteriorStepSize">,
): PosteriorChainHyper {
  return { posteriorStepSize, posteriorSteps: Math.ceil(1 / posteriorStepSize) };
}

/**
 * A chain of time ten, eta K = 10, in which the influence of the start on a direction of the Gaussian base, of precision 1,
 * decays to e^-10. A step size of 0.02 is stable for curvatures below 2 / eta = 100 and adds 1 % to the base's variance.
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
