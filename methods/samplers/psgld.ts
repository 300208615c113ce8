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
import { flatten, mapTree, unflatten } from "../../harness/core/tree.ts";
import type { Noise, PreparedChain, Tree } from "../../harness/core/types.ts";

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

/** 1 - alpha^t, by which V after `t` moves is divided. */
function unbiasing(t: tf.Tensor, alpha: number): tf.Tensor {
  return tf.sub(1, tf.exp(tf.mul(t, Math.log(alpha))));
}

/** G = 1 / (lambda + sqrt(V)), with V divided by `unbias`. */
function preconditioner(
  v: tf.Tensor,
  { unbias, damping }: { readonly unbias: tf.Tensor; readonly damping: number },
): tf.Tensor {
  return tf.reciprocal(tf.add(tf.sqrt(tf.div(v, unbias)), damping));
}

/** Parameters and V after one move. */
export function psgld<P extends Tree>(
  { params, v }: PsgldState<P>,
  { gradients, xi, stepSize, count, alpha, damping, moves }: PsgldMove<P>,
): PsgldState<P> {
  // Deviation: V is divided by 1 - alpha^t, as in Adam: Li et al. do not, and the first steps are ten times too long
  const unbias = unbiasing(tf.add(moves, 1), alpha);
  const noiseScale = tf.mul(tf.div(stepSize, count), 2); // 2 eta
  const nextV = mapTree(
    v,
    ([v, g]) => tf.add(tf.mul(v, alpha), tf.mul(tf.square(g), 1 - alpha)),
    gradients,
  );
  const next = mapTree(
    params,
    ([w, v, gradient, noise]) => {
      const g = preconditioner(v, { unbias, damping });
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

/** What the chain of pSGLD depends on besides where it stands. */
export interface PsgldChain<P extends Tree>
  extends Pick<PsgldMove<P>, "stepSize" | "alpha" | "damping"> {
  /** The loss of each of `count` terms of a minibatch at `params`, [m]: their mean stands for that of all terms. */
  readonly losses: (params: P) => tf.Tensor1D;
  readonly count: number;
  /** Moves made so far. */
  readonly moves: tf.Scalar;
}

/**
 * The chain of pSGLD with its preconditioner held fixed, as plain Langevin dynamics in the coordinates y of w = w_0 + G^(1/2) y,
 * y [1, weights]. The step size is eta, that of U = n l.
 */
export function preparePsgld<P extends Tree>(
  { params, v }: PsgldState<P>,
  { losses, stepSize, count, alpha, damping, moves }: PsgldChain<P>,
): PreparedChain {
  const unbias = unbiasing(tf.maximum(moves, 1), alpha);
  const scale = mapTree(v, ([v]) => tf.sqrt(preconditioner(v, { unbias, damping })));
  const flat = flatten(params);
  const names = Object.keys(flat);
  const sizes = names.map((name) => flat[name].size);
  const offsets = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const at = (y: tf.Tensor2D): P => {
    const parts = names.map((name, i) =>
      [name, tf.reshape(tf.slice(y, [0, offsets[i]], [1, sizes[i]]), flat[name].shape)] as const
    );
    const moved = unflatten(Object.fromEntries(parts)) as P;
    return mapTree(params, ([w, scale, y]) => tf.add(w, tf.mul(scale, y)), scale, moved);
  };
  return {
    start: tf.zeros([1, sizes.reduce((a, b) => a + b, 0)]),
    stepSize: tf.mul<tf.Scalar>(tf.scalar(1 / count), stepSize),
    energy: (y) => {
      const terms = losses(at(y));
      return tf.reshape<tf.Rank.R2>(tf.mul(terms, count / terms.size), [1, terms.size]);
    },
  };
}

/** Deviations of this sampler from Li et al. */
export const PSGLD_DEVIATIONS: readonly string[] = [
  "V is divided by 1 - alpha^t, as in Adam: Li et al. do not, and the first steps are ten times too long",
  "Gamma, the derivative of G, is dropped, as Li et al. do in practice",
];
