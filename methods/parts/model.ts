/**
 * The generative half that all methods share: z -> f(z) -> p(x | z), its parameters and its hyperparameters.
 * Parameters in the state: `decoder/...` and `logSigma`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ImageShape, Noise, Problem, State } from "../../harness/core/types.ts";
import {
  checkNets,
  decoderNet,
  NET_DEFAULTS,
  NET_DEVIATIONS,
  type NetHyper,
} from "./architectures.ts";
import { checkCounts, checkPositive, choice } from "./checks.ts";
import {
  LIKELIHOOD_DEVIATIONS,
  LIKELIHOODS,
  negLogLikelihood,
  SIGMA_RANGE,
  toUnitRange,
} from "./likelihood.ts";
import { applyNet, initNet } from "./nets.ts";

/** Hyperparameters of the model. */
export type ModelHyper =
  & NetHyper
  & Readonly<{ likelihood: string; sigma: number; learnSigma: boolean }>;

export const MODEL_DEFAULTS = {
  ...NET_DEFAULTS,
  likelihood: "gaussian", // paper, eq. 9
  sigma: 0.3, // where it starts: LEBM's code; the paper does not say
  learnSigma: true, // paper, footnote 3
};

/** Deviations that every method has. */
export const MODEL_DEVIATIONS: readonly string[] = [...NET_DEVIATIONS, ...LIKELIHOOD_DEVIATIONS];

/** Throws RangeError when the model cannot be built for `problem`. */
export function checkModel(problem: Problem, hyper: ModelHyper): void {
  const { latentDim, featureDim, width, sigma } = hyper;
  checkCounts({ latentDim, featureDim }, 1);
  checkPositive({ width, sigma });
  const [least, most] = SIGMA_RANGE;
  if (sigma < least || sigma > most) {
    throw new RangeError(`sigma ${sigma} is outside [${least}, ${most}]`);
  }
  choice("likelihood", hyper.likelihood, LIKELIHOODS);
  checkNets(problem.image, hyper);
}

/**
 * Decoder and sigma, and two constants that a step needs but is not told: `image`, an all-zero image whose shape
 * says what the decoder makes, and `trainCount`, n. Both are passed through every step.
 */
export function initModel({ image, trainCount }: Problem, hyper: ModelHyper, noise: Noise): State {
  return {
    image: tf.zeros([image.height, image.width, image.channels]),
    trainCount: tf.scalar(trainCount),
    // Deviation: One sigma for all pixels: the paper's diag(sigma) leaves open how many there are; its NeurIPS code has one
    logSigma: tf.scalar(Math.log(hyper.sigma)),
    ...initNet(decoderNet(image, hyper), noise),
  };
}

/** Shape of the images that the state's decoder makes. */
export function imageOf(state: State): ImageShape {
  const [height, width, channels] = state.image.shape;
  return { height, width, channels };
}

/** Names of the trainable parameters of the model in `state`. */
export function modelParameters(state: State, { learnSigma }: ModelHyper): string[] {
  return [...namesBelow(state, "decoder"), ...(learnSigma ? ["logSigma"] : [])];
}

/** Names in `state` of the parameters of one net. */
export function namesBelow(state: State, net: string): string[] {
  return Object.keys(state).filter((name) => name.startsWith(`${net}/`));
}

/** Entries of `state` by name. */
export function pick(state: State, names: readonly string[]): State {
  return Object.fromEntries(names.map((name) => [name, state[name]]));
}

/** f(z): mean images [m, height, width, channels] in the model's range for latents [m, latentDim]. */
export function generate(
  params: State,
  { latents, hyper }: { latents: tf.Tensor; hyper: ModelHyper },
): tf.Tensor4D {
  const image = imageOf(params);
  const out = applyNet(decoderNet(image, hyper), { params, x: latents });
  return tf.reshape(out, [latents.shape[0], image.height, image.width, image.channels]);
}

/** How well latents explain images. */
export interface Reconstruction {
  /** -log p(x | z) in nats, [m]. */
  readonly negLog: tf.Tensor1D;
  /** Mean squared error per pixel of images in [0, 1], a scalar. */
  readonly squaredError: tf.Scalar;
}

/** -log p(x | z) of images `x` [m, height, width, channels] in [-1, 1] for `latents` [m, latentDim]. */
export function reconstruct(
  params: State,
  { latents, x, hyper }: { latents: tf.Tensor; x: tf.Tensor; hyper: ModelHyper },
): Reconstruction {
  const mean = generate(params, { latents, hyper });
  return {
    negLog: negLogLikelihood(x, {
      mean,
      logSigma: params.logSigma,
      likelihood: hyper.likelihood,
    }),
    // A factor of 2 in the range is one of 4 in the square.
    squaredError: tf.mul(tf.mean(tf.squaredDifference(x, mean)), 0.25),
  };
}

/**
 * `state` with log sigma moved back into its range if it is learned: a bound on the parameter, where a clamp in the
 * loss would end its gradient.
 */
export function boundSigma(state: State, { learnSigma }: ModelHyper): State {
  if (!learnSigma) return state;
  const [least, most] = SIGMA_RANGE;
  return { ...state, logSigma: tf.clipByValue(state.logSigma, Math.log(least), Math.log(most)) };
}

/** sigma, to record. */
export function sigmaOf(state: State): tf.Scalar {
  return tf.exp(state.logSigma) as tf.Scalar;
}

/** Mean images in [0, 1] for latents [n, latentDim]: `Method.decode` of every method. */
export function decode<H extends ModelHyper>(
  state: State,
  latents: tf.Tensor2D,
  hyper: H,
): tf.Tensor4D {
  return toUnitRange(generate(state, { latents, hyper }));
}
