/**
 * The prior p(z) = N(z; 0, I) of VAE, VAE-flow, ABP and DLGM.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise, State } from "../../harness/core/types.ts";
import { langevinChain } from "../samplers/langevin.ts";
import { decode, type ModelHyper, reconstruct } from "./model.ts";

/** ||z||^2 / 2 for each row of `z` [m, latentDim]: -log N(z; 0, I) up to a constant, [m]. */
export function halfSquaredNorm(z: tf.Tensor): tf.Tensor1D {
  return tf.mul(tf.sum(tf.square(z), 1), 0.5);
}

/** log N(z; 0, I) in nats for each row of `z` [m, latentDim], [m]. */
export function logStandardNormal(z: tf.Tensor2D): tf.Tensor1D {
  const [, latentDim] = z.shape;
  return tf.sub(-0.5 * latentDim * Math.log(2 * Math.PI), halfSquaredNorm(z));
}

/** log p(x, z) in nats for images `x` in [-1, 1] and `latents` [m, latentDim], [m]. */
export function logJoint(
  state: State,
  { latents, x, hyper }: { latents: tf.Tensor2D; x: tf.Tensor; hyper: ModelHyper },
): tf.Tensor1D {
  const { negLog } = reconstruct(state, { latents, x, hyper });
  return tf.sub(logStandardNormal(latents), negLog);
}

/** U(x, z) = -log p(x | z) + ||z||^2 / 2, summed over the rows of `latents` [m, latentDim]. */
export function standardNormalEnergy(
  state: State,
  { latents, x, hyper }: { latents: tf.Tensor; x: tf.Tensor; hyper: ModelHyper },
): tf.Scalar {
  const { negLog } = reconstruct(state, { latents, x, hyper });
  return tf.sum(tf.add(negLog, halfSquaredNorm(latents)));
}

/** Hyperparameters of a chain for the posterior. */
type ChainHyper = Readonly<{ posteriorSteps: number; posteriorStepSize: number }>;

/** The end of chains for N(z; 0, I) p(x | z) from each row of `start` [m, latentDim], for images `x` in [-1, 1]. */
export function standardNormalPosteriorChain<H extends ModelHyper & ChainHyper>(
  state: State,
  { x, start, hyper, noise }: { x: tf.Tensor; start: tf.Tensor2D; hyper: H; noise: Noise },
): tf.Tensor2D {
  return langevinChain((z) => standardNormalEnergy(state, { latents: z, x, hyper }), start, {
    steps: hyper.posteriorSteps,
    stepSize: hyper.posteriorStepSize,
    noise: noise.split("posterior"),
  });
}

/** Mean images of `count` draws from the prior: `Method.sample`. */
export function sampleStandardNormal<H extends ModelHyper>(
  state: State,
  count: number,
  hyper: H,
  noise: Noise,
): tf.Tensor4D {
  const latents = noise.split("latents").normal([count, hyper.latentDim]) as tf.Tensor2D;
  return decode(state, latents, hyper);
}
