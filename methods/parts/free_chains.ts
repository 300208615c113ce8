import type { PosteriorChainHyper } from "./latent_chains.ts";

/**
 * The chain of `hyper` made long enough to forget its start but for the variance: for a time of one, eta K = 1, in which a
 * direction that the prior alone holds, of precision 1, reaches 1 - e^-2 = 86 % of its variance.
 */
export function longChain(
  { posteriorStepSize }: Pick<PosteriorChainHyper, "posteriorStepSize">,
): PosteriorChainHyper {
  return { posteriorStepSize, posteriorSteps: Math.ceil(1 / posteriorStepSize) };
}
