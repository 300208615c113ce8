/**
 * The observation model that all methods with latents share: z -> f(z) -> p(x | z), with the decoder f and one scale sigma for
 * all pixels.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ImageShape, Noise } from "../../harness/core/types.ts";
import {
  checkNets,
  decoderNet,
  NET_DEFAULTS,
  NET_DEVIATIONS,
  type NetHyper,
} from "./architectures.ts";
import { checkCounts, checkPositive, choice } from "./checks.ts";
import {
  drawPixels,
  LIKELIHOOD_DEVIATIONS,
  LIKELIHOODS,
  negLogLikelihood,
  SIGMA_RANGE,
  toUnitRange,
} from "./likelihood.ts";
import { applyNet, initNet, macCount, type NetParams } from "./nets.ts";

/** Hyperparameters of the observation model. */
export type ObservationHyper =
  & NetHyper
  & Readonly<{ likelihood: string; sigma: number; learnSigma: boolean }>;

export const OBSERVATION_DEFAULTS = {
  ...NET_DEFAULTS,
  likelihood: "gaussian", // paper, eq. 9
  sigma: 0.3, // initial value: LEBM's code; the paper does not say
  learnSigma: true, // paper, footnote 3
};

/** Deviations of every method with this model. */
export const OBSERVATION_DEVIATIONS: readonly string[] = [
  ...NET_DEVIATIONS,
  ...LIKELIHOOD_DEVIATIONS,
];

/** Parameters of the observation model. */
export type ObservationParams = { readonly decoder: NetParams; readonly logSigma: tf.Scalar };

/** Learned parameters: log sigma only if learnSigma. */
export type LearnedParams = { readonly decoder: NetParams; readonly logSigma?: tf.Scalar };

/** Negative log likelihood and squared error of images given latents. */
export interface Reconstruction {
  /** -log p(x | z) in nats, [m]. */
  readonly negLog: tf.Tensor1D;
  /** Mean squared error per pixel, of those that are seen, of images in [0, 1]. */
  readonly squaredError: tf.Scalar;
}

/** p(x | z). */
export interface ObservationModel {
  init(noise: Noise): ObservationParams;
  learned(params: ObservationParams): LearnedParams;
  /** f(z): mean images [m, height, width, channels] in the model's range for latents [m, latentDim]. */
  mean(params: Pick<ObservationParams, "decoder">, latents: tf.Tensor): tf.Tensor4D;
  /** Mean images in [0, 1] for latents [n, latentDim]: `Latents.decode`. */
  decode(params: Pick<ObservationParams, "decoder">, latents: tf.Tensor): tf.Tensor4D;
  /**
   * -log p(x | z) of images `x` [m, height, width, channels] in [-1, 1] for `latents` [m, latentDim]; of the pixels alone where
   * `seen` [m, height, width, 1] is 1, if it is given.
   */
  reconstruct(
    params: ObservationParams,
    { latents, x, seen }: {
      readonly latents: tf.Tensor;
      readonly x: tf.Tensor;
      readonly seen?: tf.Tensor;
    },
  ): Reconstruction;
  /** A draw of p(x | z) for each of `latents` [m, latentDim]: images in the model's range, and beyond it if Gaussian. */
  draw(params: ObservationParams, latents: tf.Tensor, noise: Noise): tf.Tensor4D;
  /**
   * `state` with log sigma clipped to its range if it is learned. A clamp in the loss instead would zero its gradient.
   */
  boundSigma<S extends { readonly logSigma: tf.Scalar }>(state: S): S;
  /** Multiply-accumulates of a forward pass through the decoder for one image. */
  readonly macs: number;
}

/** A map from latents to mean images: a decoder. */
export interface Generator {
  init(noise: Noise): NetParams;
  /** Mean images in [-1, 1] of `latents` [m, latentDim]: as many pixels as the image has, in its order. */
  mean(params: NetParams, latents: tf.Tensor): tf.Tensor;
  /** Multiply-accumulates of a forward pass for one image. */
  readonly macs: number;
}

/** The decoder that `hyper` names. */
function decoderOf(image: ImageShape, hyper: NetHyper): Generator {
  const net = decoderNet(image, hyper);
  return {
    init: (noise) => initNet(net, noise),
    mean: (params, latents) => applyNet(net, { params, x: latents }),
    macs: macCount(net.layers),
  };
}

/**
 * The observation model for `image`, with another decoder than that of `hyper` if `generator` is given. Throws RangeError when
 * `hyper` cannot work for it.
 */
export function observationModel(
  image: ImageShape,
  hyper: ObservationHyper,
  generator?: Generator,
): ObservationModel {
  const { latentDim, featureDim, width, sigma, learnSigma, likelihood } = hyper;
  checkCounts({ latentDim, featureDim }, 1);
  checkPositive({ width, sigma });
  const [least, most] = SIGMA_RANGE;
  if (sigma < least || sigma > most) {
    throw new RangeError(`sigma must be in [${least}, ${most}], got ${sigma}`);
  }
  choice("likelihood", likelihood, LIKELIHOODS);
  checkNets(image, hyper);
  const net = generator ?? decoderOf(image, hyper);
  const mean: ObservationModel["mean"] = ({ decoder }, latents) =>
    tf.reshape(net.mean(decoder, latents), [
      latents.shape[0],
      image.height,
      image.width,
      image.channels,
    ]);
  return {
    init: (noise) => ({
      // Deviation: One sigma for all pixels: the paper's diag(sigma) does not say how many there are; its NeurIPS code has one
      logSigma: tf.scalar(Math.log(sigma)),
      decoder: net.init(noise),
    }),
    learned: ({ decoder, logSigma }) => ({ decoder, ...(learnSigma && { logSigma }) }),
    mean,
    decode: (params, latents) => toUnitRange(mean(params, latents)),
    reconstruct: (params, { latents, x, seen }) => {
      const f = mean(params, latents);
      const { logSigma } = params;
      return {
        negLog: negLogLikelihood(x, { mean: f, logSigma, likelihood }, seen),
        // A factor of 2 in the range is a factor of 4 in the square.
        squaredError: tf.mul(meanOfSeen(tf.squaredDifference(x, f), seen), 0.25),
      };
    },
    draw: (params, latents, noise) => {
      const { logSigma } = params;
      return drawPixels({ mean: mean(params, latents), logSigma, likelihood }, noise);
    },
    boundSigma: (state) =>
      learnSigma
        ? { ...state, logSigma: tf.clipByValue(state.logSigma, Math.log(least), Math.log(most)) }
        : state,
    macs: net.macs,
  };
}

/** The mean of `values` [m, height, width, channels], or of those where `seen` [m, height, width, 1] is 1. */
function meanOfSeen(values: tf.Tensor, seen?: tf.Tensor): tf.Scalar {
  if (seen === undefined) return tf.mean(values);
  // The mean over all pixels, less those that are hidden: a factor of exactly 1 if none is.
  return tf.div(tf.mean(tf.mul(values, seen)), tf.mean(seen));
}

/** sigma, as a training metric. */
export function sigmaOf({ logSigma }: { readonly logSigma: tf.Scalar }): tf.Scalar {
  return tf.exp(logSigma);
}

/**
 * (sigma / sigma_0)^2, at most 1, where sigma_0 is the initial sigma: the factor on the step size of a chain for the posterior
 * that keeps the step below the stability limit of the chain. The limit is 2 over the largest curvature of the potential, and
 * the likelihood's part of the curvature grows as 1 / sigma^2. 1 where sigma is not learned.
 */
export function stepScaleOf(
  { logSigma }: { readonly logSigma: tf.Scalar },
  { sigma }: Pick<ObservationHyper, "sigma">,
): tf.Scalar {
  const ratio: tf.Scalar = tf.exp(tf.mul(tf.sub(logSigma, Math.log(sigma)), 2));
  return tf.minimum(ratio, 1);
}
