/**
 * Langevin chains on latents, for a prior and for a posterior, with any prior energy -log p(z) + constant.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise, PreparedChain } from "../../harness/core/types.ts";
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

/** Start and settings of a chain for exp(-energy). */
export interface PriorStart {
  /** [m, latentDim]. */
  readonly start: tf.Tensor2D;
  readonly hyper: PriorChainHyper;
}

/** Chains for exp(-energy) from each row of `start`. */
export function preparePrior(energy: PriorEnergy, { start, hyper }: PriorStart): PreparedChain {
  return { start, stepSize: hyper.priorStepSize, energy };
}

/** The ends of the chains of `preparePrior`. */
export function priorChain(
  energy: PriorEnergy,
  { start, hyper, noise }: PriorStart & { readonly noise: Noise },
): tf.Tensor2D {
  return langevinChain((z) => tf.sum<tf.Scalar>(energy(z)), start, {
    steps: hyper.priorSteps,
    stepSize: hyper.priorStepSize,
    noise: noise.split("prior"),
  });
}

/** Start and settings of a chain for exp(-energy(z)) p(x | z). */
export interface PosteriorStart {
  readonly params: ObservationParams;
  readonly energy: PriorEnergy;
  /** Images in [-1, 1], [m, height, width, channels]. */
  readonly x: tf.Tensor;
  /** The pixels to condition on, as of `PartialImages`; all if absent. */
  readonly seen?: tf.Tensor;
  /** [m, latentDim]. */
  readonly start: tf.Tensor2D;
  readonly hyper: PosteriorChainHyper;
  /** The step size is posteriorStepSize times this, which may depend on the state; 1 if absent. */
  readonly stepScale?: tf.Scalar;
}

/** Chains for exp(-energy(z)) p(x | z) from each row of `start`. */
export function preparePosterior(
  model: ObservationModel,
  { params, energy, x, seen, start, hyper, stepScale }: PosteriorStart,
): PreparedChain {
  const { posteriorStepSize } = hyper;
  return {
    start,
    stepSize: stepScale ? tf.mul<tf.Scalar>(stepScale, posteriorStepSize) : posteriorStepSize,
    energy: (latents) =>
      tf.add<tf.Tensor1D>(model.reconstruct(params, { latents, x, seen }).negLog, energy(latents)),
  };
}

/** The ends of the chains of `preparePosterior`; without `noise`, of gradient descent with the same step size. */
export function posteriorChain(
  model: ObservationModel,
  { noise, ...from }: PosteriorStart & { readonly noise?: Noise },
): tf.Tensor2D {
  const { start, energy } = preparePosterior(model, from);
  const { hyper, stepScale } = from;
  const potential = (z: tf.Tensor2D): tf.Scalar => tf.sum(energy(z));
  const chain = {
    steps: hyper.posteriorSteps,
    stepSize: hyper.posteriorStepSize,
    noise: noise?.split("posterior"),
  };
  if (stepScale === undefined) return langevinChain(potential, start, chain);
  // Steps of size eta for z / sqrt(c) are steps of size c eta for z.
  const unit = tf.sqrt(stepScale);
  const scaled = langevinChain((w) => potential(tf.mul(w, unit)), tf.div(start, unit), chain);
  return tf.mul(scaled, unit);
}
