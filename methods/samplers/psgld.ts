/**
 * Preconditioned stochastic gradient Langevin dynamics (Li et al. 2016, algorithm 1), for the density
 * exp(-n l(w)) of a mean loss l over n terms. With g the gradient of l on a minibatch:
 *
 *     V <- alpha V + (1 - alpha) g^2,   G = 1 / (lambda + sqrt(V)),
 *     w <- w - eta G n g + sqrt(2 eta G) xi.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { mapTree } from "../../harness/core/tree.ts";
import type { Noise, Tree } from "../../harness/core/types.ts";

/** Parameters that pSGLD moves, and V, the running mean square of their gradients. */
export interface PsgldState<P extends Tree> {
  readonly params: P;
  readonly v: P;
}

/** One move of pSGLD. */
export interface PsgldMove<P extends Tree> {
  /** Gradients of the mean loss. */
  readonly gradients: P;
  /** Standard normal draws, or null for none: the drift alone, RMSProp. */
  readonly xi: P | null;
  /** n eta: about the length of the drift, since G g is about the sign of g. */
  readonly stepSize: number | tf.Scalar;
  /** n, the number of terms of the loss: the noise is sqrt(2 eta G) with eta = stepSize / n. */
  readonly count: number;
  /** alpha, the memory of V: it averages the last 1 / (1 - alpha) squared gradients. */
  readonly alpha: number;
  /** lambda: bounds G, and so the noise on weights without a gradient, by 1 / lambda. */
  readonly damping: number;
  /** Moves made before this one, a float32 scalar. */
  readonly moves: tf.Scalar;
}

/** Hyperparameters of a step size that decays. */
export type DecayHyper = Readonly<{ stepSize: number; decayPower: number; decaySteps: number }>;

/** stepSize (1 + t / decaySteps)^-decayPower, the polynomial decay of Welling and Teh 2011, at move `t`, from 0. */
export function decayedStepSize(
  { stepSize, decayPower, decaySteps }: DecayHyper,
  t: tf.Scalar,
): number | tf.Scalar {
  if (decayPower === 0) return stepSize;
  const age = tf.log(tf.add(tf.div(t, decaySteps), 1));
  return tf.mul(tf.exp(tf.mul(age, -decayPower)), stepSize) as tf.Scalar;
}

/** V before the first move: zeros like `params`. */
export function initPsgld<P extends Tree>(params: P): P {
  return mapTree(params, ([w]) => tf.zerosLike(w));
}

/** Standard normal draws for each tensor of `params`, with `leading` axes in front. */
export function drawsLike<P extends Tree>(
  params: P,
  { noise, leading = [] }: { readonly noise: Noise; readonly leading?: readonly number[] },
): P {
  return mapTree(params, ([w], path) => noise.split(path).normal([...leading, ...w.shape]));
}

/** Parameters and V after one move. */
export function psgld<P extends Tree>(
  { params, v }: PsgldState<P>,
  { gradients, xi, stepSize, count, alpha, damping, moves }: PsgldMove<P>,
): PsgldState<P> {
  // Deviation: V is divided by 1 - alpha^t, as in Adam: Li et al. do not, and the first steps are ten times too long
  const unbias = tf.sub(1, tf.exp(tf.mul(tf.add(moves, 1), Math.log(alpha))));
  const noiseScale = tf.mul(tf.div(stepSize, count), 2); // 2 eta
  const nextV = mapTree(
    v,
    ([v, g]) => tf.add(tf.mul(v, alpha), tf.mul(tf.square(g), 1 - alpha)),
    gradients,
  );
  const next = mapTree(
    params,
    ([w, v, gradient, noise]) => {
      const g = tf.reciprocal(tf.add(tf.sqrt(tf.div(v, unbias)), damping));
      const drifted = tf.sub(w, tf.mul(tf.mul(g, gradient), stepSize));
      // Deviation: Gamma, the derivative of G, is dropped, as Li et al. do in practice
      return noise ? tf.add(drifted, tf.mul(tf.sqrt(tf.mul(g, noiseScale)), noise)) : drifted;
    },
    nextV,
    gradients,
    ...xi ? [xi] : [],
  );
  return { params: next, v: nextV };
}

/** Deviations of this sampler from Li et al. */
export const PSGLD_DEVIATIONS: readonly string[] = [
  "V is divided by 1 - alpha^t, as in Adam: Li et al. do not, and the first steps are ten times too long",
  "Gamma, the derivative of G, is dropped, as Li et al. do in practice",
];
