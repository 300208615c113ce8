/**
 * Distributions of the pixels given the latent: p(x | z) with mean image f(z) in [-1, 1] and one scale sigma for all pixels.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise } from "../../harness/core/types.ts";
import { choice } from "./checks.ts";

/** Values of the hyperparameter `likelihood`. */
export const LIKELIHOODS = ["gaussian", "discretized_logistic"] as const;

/** Range of sigma: smaller values make the energy too stiff for any step size, larger ones ignore images in [-1, 1]. */
export const SIGMA_RANGE = [1e-3, 3] as const;

/** Half the width of one of 256 grey levels on [-1, 1]. */
const HALF_BIN = 1 / 255;

/** Scales images from [0, 1] to the range of the model. */
export function toModelRange<T extends tf.Tensor>(images: T): T {
  // Deviation: Images are scaled to [-1, 1], as in LEBM's code and the NeurIPS version: the paper does not say
  return tf.sub(tf.mul(images, 2), 1);
}

/** Scales and clips images of the model to [0, 1]. */
export function toUnitRange<T extends tf.Tensor>(images: T): T {
  return tf.clipByValue(tf.mul(tf.add(images, 1), 0.5), 0, 1) as T;
}

/** Parameters of p(x | z). */
export interface PixelModel {
  /** f(z), [m, height, width, channels]. */
  readonly mean: tf.Tensor;
  /** log sigma, a scalar. */
  readonly logSigma: tf.Tensor;
  /** One of LIKELIHOODS. */
  readonly likelihood: string;
}

/**
 * -log p(x | z) in nats for each image of `x` [m, height, width, channels] in [-1, 1], summed over pixels, or over those where
 * `seen` [m, height, width, 1] is 1 and not 0: [m].
 */
export function negLogLikelihood(x: tf.Tensor, model: PixelModel, seen?: tf.Tensor): tf.Tensor1D {
  const perPixel = choice("likelihood", model.likelihood, LIKELIHOODS) === "gaussian"
    ? gaussian(x, model)
    : discretizedLogistic(x, model);
  const counted = seen === undefined ? perPixel : tf.mul(perPixel, seen);
  return tf.sum(tf.reshape(counted, [x.shape[0], -1]), 1);
}

/** A draw of p(x | z) for each mean image of `model`: [m, height, width, channels] in the model's range. */
export function drawPixels({ mean, logSigma, likelihood }: PixelModel, noise: Noise): tf.Tensor4D {
  const sigma = tf.exp(logSigma);
  if (choice("likelihood", likelihood, LIKELIHOODS) === "gaussian") {
    return tf.add(mean, tf.mul(noise.normal(mean.shape), sigma));
  }
  // The quantile function of the logistic, then the nearest of 256 levels; u = 0 gives -Infinity, the lowest level.
  const u = noise.uniform(mean.shape);
  const logit = tf.sub(tf.log(u), tf.log1p(tf.neg(u)));
  const level = tf.div(tf.add(tf.add(mean, tf.mul(logit, sigma)), 1), 2 * HALF_BIN);
  const nearest = tf.cast(tf.add(tf.clipByValue(level, 0, 255), 0.5), "int32");
  return tf.sub(tf.mul(tf.cast(nearest, "float32"), 2 * HALF_BIN), 1);
}

/** (x - f)^2 / (2 sigma^2) + log(2 pi sigma^2) / 2, of densities on [-1, 1]. Paper, eq. 9. */
function gaussian(x: tf.Tensor, { mean, logSigma }: PixelModel): tf.Tensor {
  const precision = tf.exp(tf.mul(logSigma, -2));
  const scaled = tf.mul(tf.squaredDifference(x, mean), tf.mul(precision, 0.5));
  return tf.add(scaled, tf.add(logSigma, 0.5 * Math.log(2 * Math.PI)));
}

/**
 * The logistic density of location f and scale sigma, integrated over the grey level of x; the end levels take the
 * tails. With a = (x + 1/255 - f) / sigma and b = (x - 1/255 - f) / sigma, inside
 * sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - e^(b - a)), so
 * -log p = softplus(-a) + softplus(b) - log(1 - e^(-2 / (255 sigma))), stable for every a and b. LAE's code at
 * NeurIPS 2022 has the same distribution.
 *
 * Deviation: The discretized logistic is written without the floor of 1.19e-7 on a bin's mass in LAE's code, so that gradients never vanish
 */
function discretizedLogistic(x: tf.Tensor, { mean, logSigma }: PixelModel): tf.Tensor {
  const inverse = tf.exp(tf.neg(logSigma));
  const centred = tf.sub(x, mean);
  const above = tf.mul(tf.add(centred, HALF_BIN), inverse);
  const below = tf.mul(tf.sub(centred, HALF_BIN), inverse);
  const notHighest = tf.cast(tf.lessEqual(x, 1 - HALF_BIN), "float32");
  const notLowest = tf.cast(tf.greaterEqual(x, -1 + HALF_BIN), "float32");
  const logGap = tf.log(tf.neg(tf.expm1(tf.mul(inverse, -2 * HALF_BIN))));
  return tf.sub(
    tf.add(
      tf.mul(tf.softplus(tf.neg(above)), notHighest),
      tf.mul(tf.softplus(below), notLowest),
    ),
    tf.mul(logGap, tf.mul(notHighest, notLowest)),
  );
}

/** Deviations of the likelihood, which all methods share. */
export const LIKELIHOOD_DEVIATIONS: readonly string[] = [
  "One sigma for all pixels: the paper's diag(sigma) does not say how many there are; its NeurIPS code has one",
  "Images are scaled to [-1, 1], as in LEBM's code and the NeurIPS version: the paper does not say",
  "The discretized logistic is written without the floor of 1.19e-7 on a bin's mass in LAE's code, so that gradients never vanish",
];
