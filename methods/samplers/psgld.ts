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
import type { Noise, State } from "../../harness/core/types.ts";

/** One move of pSGLD. */
export interface PsgldMove {
  /** Gradients of the mean loss, by name. */
  readonly gradients: State;
  /** Standard normal draws by name, or null for none: the drift alone, RMSProp. */
  readonly xi: State | null;
  /** n eta: about the length of the drift, since G g is about the sign of g. */
  readonly stepSize: number | tf.Scalar;
  /** n, the number of terms of the loss: the noise is sqrt(2 eta G) with eta = stepSize / n. */
  readonly count: number | tf.Scalar;
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

const slot = (name: string) => `psgld/v/${name}`;

/** The slot V for each of `names`, zero. */
export function initPsgld(state: State, names: readonly string[]): State {
  return Object.fromEntries(names.map((name) => [slot(name), tf.zerosLike(state[name])]));
}

/** Names of the entries that `psgld` replaces when it moves `names`. */
export function psgldEntries(names: readonly string[]): string[] {
  return names.flatMap((name) => [name, slot(name)]);
}

/** Standard normal draws for each of `names` in `state`, with `leading` axes in front. */
export function drawsLike(
  state: State,
  { names, noise, leading = [] }: {
    names: readonly string[];
    noise: Noise;
    leading?: readonly number[];
  },
): State {
  return Object.fromEntries(
    names.map((name) => [name, noise.split(name).normal([...leading, ...state[name].shape])]),
  );
}

/** `state` after one move of the parameters named in `gradients`, their slots included. */
export function psgld(state: State, move: PsgldMove): State {
  const { gradients, xi, stepSize, count, alpha, damping, moves } = move;
  // Deviation: V is divided by 1 - alpha^t, as in Adam: Li et al. do not, and the first steps are ten times too long
  const unbias = tf.sub(1, tf.exp(tf.mul(tf.add(moves, 1), Math.log(alpha))));
  const noiseScale = tf.mul(tf.div(stepSize, count), 2); // 2 eta
  const next: Record<string, tf.Tensor> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    const v = tf.add(tf.mul(state[slot(name)], alpha), tf.mul(tf.square(gradient), 1 - alpha));
    const g = tf.reciprocal(tf.add(tf.sqrt(tf.div(v, unbias)), damping));
    const drifted = tf.sub(state[name], tf.mul(tf.mul(g, gradient), stepSize));
    // Deviation: Gamma, the derivative of G, is dropped, as Li et al. do in practice
    next[name] = xi ? tf.add(drifted, tf.mul(tf.sqrt(tf.mul(g, noiseScale)), xi[name])) : drifted;
    next[slot(name)] = v;
  }
  return { ...state, ...next };
}

/** Deviations of this sampler from Li et al. */
export const PSGLD_DEVIATIONS: readonly string[] = [
  "V is divided by 1 - alpha^t, as in Adam: Li et al. do not, and the first steps are ten times too long",
  "Gamma, the derivative of G, is dropped, as Li et al. do in practice",
];
