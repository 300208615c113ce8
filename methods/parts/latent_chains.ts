/**
 * Langevin chains on latents, for a prior and for a posterior, with any prior energy -log p(z) + constant.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise } from "../../harness/core/types.ts";
import { langevinChain } from "../samplers/langevin.ts";
import { checkCounts, checkPositive } from "./checks.ts";
import type { ObservationModel, ObservationParams } from "./observation_model.ts";

/** -log p(z) up to a constant for each row of `z` [m, latentDim]: [m]. */
export type PriorEnergy = (z: tf.Tensor2D) => tf.Tensor1D;

/** Hyperparameters of a chain for the prior. */
export type PriorChainHyper = Readonly<{ priorSteps: number; priorStepSize: number }>;

/** Hyperparameters of a chain for the posterior. */
export type PosteriorChainHyper = Readonly<{ posteriorSteps: number; posteriorStepSize: number }>;

/** Throws RangeError unless the chain can run: at least `least` steps of a positive size. */
export function checkPriorChain({ priorSteps, priorStepSize }: PriorChainHyper, least = 1): void {
  checkPositive({ priorStepSize });
  checkCounts({ priorSteps }, least);
}

/** Throws RangeError unless the chain can run: at least `least` steps of a positive size. */
export function checkPosteriorChain(
  { posteriorSteps, posteriorStepSize }: PosteriorChainHyper,
  least = 1,
): void {
  checkPositive({ posteriorStepSize });
  checkCounts({ posteriorSteps }, least);
}

/** The end of chains for exp(-energy) from each row of `start` [m, latentDim]. */
export function priorChain(
  energy: PriorEnergy,
  { start, hyper, noise }: {
    readonly start: tf.Tensor2D;
    readonly hyper: PriorChainHyper;
    readonly noise: Noise;
  },
): tf.Tensor2D {
  return langevinChain((z) => tf.sum<tf.Scalar>(energy(z)), start, {
    steps: hyper.priorSteps,
    stepSize: hyper.priorStepSize,
    noise: noise.split("prior"),
  });
}

/** The end of chains for exp(-energy(z)) p(x | z) from each row of `start` [m, latentDim], for images `x` in [-1, 1]. */
export function posteriorChain(
  model: ObservationModel,
  { params, energy, x, start, hyper, noise }: {
    readonly params: ObservationParams;
    readonly energy: PriorEnergy;
    readonly x: tf.Tensor;
    readonly start: tf.Tensor2D;
    readonly hyper: PosteriorChainHyper;
    readonly noise: Noise;
  },
): tf.Tensor2D {
  const potential = (latents: tf.Tensor2D): tf.Scalar =>
    tf.sum(tf.add(model.reconstruct(params, { latents, x }).negLog, energy(latents)));
  return langevinChain(potential, start, {
    steps: hyper.posteriorSteps,
    stepSize: hyper.posteriorStepSize,
    noise: noise.split("posterior"),
  });
}
