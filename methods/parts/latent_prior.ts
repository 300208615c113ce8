/**
 * The learned prior p(z) = exp(-f(z)) / Z of LEBM and LAE, an energy-based model on latents with a Gaussian base:
 * f(z) = net(z) + ||z||^2 / 2 (Pang et al. 2020, eq. 3 with the sign of their code).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise, State } from "../../harness/core/types.ts";
import { energyNet } from "./architectures.ts";
import { langevinChain } from "../samplers/langevin.ts";
import { type ModelHyper, reconstruct } from "./model.ts";
import { applyNet } from "./nets.ts";
import { halfSquaredNorm } from "./standard_normal.ts";

/** The energy network at `latents` [m, latentDim], without the Gaussian base: [m]. */
export function netEnergy(
  params: State,
  { latents, hyper }: { latents: tf.Tensor; hyper: ModelHyper },
): tf.Tensor1D {
  return tf.reshape(applyNet(energyNet(hyper), { params, x: latents }), [latents.shape[0]]);
}

/** f(z) for each row of `latents` [m, latentDim]: [m]. */
export function priorEnergy(
  params: State,
  { latents, hyper }: { latents: tf.Tensor; hyper: ModelHyper },
): tf.Tensor1D {
  return tf.add(netEnergy(params, { latents, hyper }), halfSquaredNorm(latents));
}

/** Hyperparameters of a chain for the prior. */
export type PriorChainHyper = Readonly<{ priorSteps: number; priorStepSize: number }>;

/** The end of chains for exp(-f) from each row of `start` [m, latentDim]. */
export function priorChain<H extends ModelHyper & PriorChainHyper>(
  state: State,
  { start, hyper, noise }: { start: tf.Tensor2D; hyper: H; noise: Noise },
): tf.Tensor2D {
  return langevinChain((z) => tf.sum(priorEnergy(state, { latents: z, hyper })), start, {
    steps: hyper.priorSteps,
    stepSize: hyper.priorStepSize,
    noise: noise.split("prior"),
  });
}

/** Hyperparameters of a chain for the posterior. */
export type PosteriorChainHyper = Readonly<{ posteriorSteps: number; posteriorStepSize: number }>;

/** The end of chains for exp(-f(z)) p(x | z) from each row of `start` [m, latentDim], for images `x` in [-1, 1]. */
export function posteriorChain<H extends ModelHyper & PosteriorChainHyper>(
  state: State,
  { x, start, hyper, noise }: { x: tf.Tensor; start: tf.Tensor2D; hyper: H; noise: Noise },
): tf.Tensor2D {
  const energy = (latents: tf.Tensor2D): tf.Scalar => {
    const { negLog } = reconstruct(state, { latents, x, hyper });
    return tf.sum(tf.add(negLog, priorEnergy(state, { latents, hyper })));
  };
  return langevinChain(energy, start, {
    steps: hyper.posteriorSteps,
    stepSize: hyper.posteriorStepSize,
    noise: noise.split("posterior"),
  });
}
