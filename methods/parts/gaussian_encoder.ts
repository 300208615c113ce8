/**
 * q(z | x) = N(mu(x), diag s(x)^2), the amortized posterior of VAE, VAE-flow and DLGM (Kingma and Welling 2014).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ImageShape, Noise } from "../../harness/core/types.ts";
import { encoderNet, type NetHyper } from "./architectures.ts";
import { toModelRange } from "./likelihood.ts";
import { applyNet, initNet, macCount, type NetParams } from "./nets.ts";
import type { ObservationModel, ObservationParams } from "./observation_model.ts";
import { logJoint } from "./standard_normal.ts";

/** A diagonal Gaussian for each row, [m, latentDim]. */
export interface DiagonalGaussian {
  readonly mean: tf.Tensor2D;
  /** Variance is 1 / softplus(`rawPrecision`), as in LAE's code at NeurIPS 2022. */
  readonly rawPrecision: tf.Tensor2D;
}

/** An encoder with a mean and a scale per latent. */
export interface GaussianEncoder {
  init(noise: Noise): NetParams;
  /** q(z | x) for images `x` [m, height, width, channels] in [-1, 1]. */
  encode(params: NetParams, x: tf.Tensor): DiagonalGaussian;
  /** Multiply-accumulates of a forward pass for one image. */
  readonly macs: number;
}

/** The encoder for `image`. */
export function gaussianEncoder(image: ImageShape, hyper: NetHyper): GaussianEncoder {
  const net = encoderNet(image, hyper, 2 * hyper.latentDim);
  return {
    init: (noise) => initNet(net, noise),
    encode: (params, x) => {
      const [mean, rawPrecision] = tf.split<tf.Tensor2D>(applyNet(net, { params, x }), 2, 1);
      return { mean, rawPrecision };
    },
    macs: macCount(net.layers),
  };
}

/** log s^2, [m, latentDim]. */
export function logVariance({ rawPrecision }: DiagonalGaussian): tf.Tensor2D {
  return tf.neg(tf.log(tf.softplus(rawPrecision)));
}

/** mu + s xi for standard normal `xi` [m, latentDim], or [k, m, latentDim] for k draws of each: the reparameterized draw. */
export function drawFrom<T extends tf.Tensor = tf.Tensor2D>(q: DiagonalGaussian, xi: tf.Tensor): T {
  return tf.add(q.mean, tf.mul(tf.rsqrt(tf.softplus(q.rawPrecision)), xi));
}

/** KL(q || N(0, I)) in nats, [m]: sum of (mu^2 + s^2 - 1 - log s^2) / 2. */
export function klToStandardNormal(q: DiagonalGaussian): tf.Tensor1D {
  const variance = tf.reciprocal(tf.softplus(q.rawPrecision));
  const terms = tf.sub(tf.add(tf.square(q.mean), variance), tf.add(logVariance(q), 1));
  return tf.mul(tf.sum<tf.Tensor1D>(terms, 1), 0.5);
}

/** Entropy of q in nats, [m]: sum of log(2 pi e s^2) / 2. */
export function entropy(q: DiagonalGaussian): tf.Tensor1D {
  const terms = tf.add(logVariance(q), Math.log(2 * Math.PI * Math.E));
  return tf.mul(tf.sum<tf.Tensor1D>(terms, 1), 0.5);
}

/** log q(z | x) in nats for `z` [m, latentDim]: [m]; for several draws [k, m, latentDim] of each: [k, m]. */
export function logDensity<T extends tf.Tensor = tf.Tensor1D>(
  q: DiagonalGaussian,
  z: tf.Tensor,
): T {
  // tf.squaredDifference has no gradient where one of its arguments is broadcast.
  const scaled = tf.mul(tf.square(tf.sub(z, q.mean)), tf.softplus(q.rawPrecision));
  const terms = tf.add(tf.add(scaled, logVariance(q)), Math.log(2 * Math.PI));
  return tf.mul(tf.sum(terms, -1), -0.5);
}

/** log p(x, z) - log q(z | x) at one draw of q for each of `images` in [0, 1], [n]: `Likelihood.logWeight`. */
export function gaussianLogWeight(
  { model, encoder }: { readonly model: ObservationModel; readonly encoder: GaussianEncoder },
  { params, images, noise }: {
    readonly params: ObservationParams & { readonly encoder: NetParams };
    readonly images: tf.Tensor4D;
    readonly noise: Noise;
  },
): tf.Tensor1D {
  const x = toModelRange(images);
  const q = encoder.encode(params.encoder, x);
  const latents = drawFrom(q, noise.split("latents").normal(q.mean.shape));
  return tf.sub(logJoint(model, { params, latents, x }), logDensity(q, latents));
}
