/**
 * The prior p(z) = N(z; 0, I) of VAE, VAE-flow, ABP, DLGM and LAE's NeurIPS version.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise } from "../../harness/core/types.ts";
import type { ObservationModel, ObservationParams } from "./observation_model.ts";

/** ||z||^2 / 2 for each row of `z` [m, latentDim]: -log N(z; 0, I) up to a constant, [m]. */
export function halfSquaredNorm(z: tf.Tensor): tf.Tensor1D {
  return tf.mul(tf.sum<tf.Tensor1D>(tf.square(z), 1), 0.5);
}

/** log N(z; 0, I) in nats for each row of `z` [m, latentDim], [m]. */
export function logStandardNormal(z: tf.Tensor2D): tf.Tensor1D {
  const [, latentDim] = z.shape;
  return tf.sub(-0.5 * latentDim * Math.log(2 * Math.PI), halfSquaredNorm(z));
}

/** log p(x, z) in nats under the prior N(0, I), for images `x` in [-1, 1] and `latents` [m, latentDim]: [m]. */
export function logJoint(
  model: ObservationModel,
  { params, latents, x }: {
    readonly params: ObservationParams;
    readonly latents: tf.Tensor2D;
    readonly x: tf.Tensor;
  },
): tf.Tensor1D {
  const { negLog } = model.reconstruct(params, { latents, x });
  return tf.sub(logStandardNormal(latents), negLog);
}

/** Mean images in [0, 1] of `count` draws from the prior, [count, height, width, channels]. */
export function sampleStandardNormal(
  model: ObservationModel,
  { params, count, latentDim, noise }: {
    readonly params: ObservationParams;
    readonly count: number;
    readonly latentDim: number;
    readonly noise: Noise;
  },
): tf.Tensor4D {
  return model.decode(params, noise.split("latents").normal([count, latentDim]));
}
