/**
 * Unadjusted Langevin chains on latents. Step sizes follow the paper's convention, z' = z - eta grad U + sqrt(2 eta) xi;
 * LEBM's and ABP's codes write z' = z - s^2/2 grad U + s xi, so eta = s^2 / 2.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { repeat } from "../../harness/core/repeat.ts";
import type { Noise } from "../../harness/core/types.ts";

/** One step of a chain. */
export interface LangevinMove {
  /** grad U(z), same shape as z. */
  readonly gradient: tf.Tensor;
  /** Standard normal draws, same shape as z. */
  readonly xi: tf.Tensor;
  /** eta. */
  readonly stepSize: number | tf.Scalar;
}

/** z - eta grad U(z) + sqrt(2 eta) xi. Paper, eq. 3. */
export function langevinStep<T extends tf.Tensor>(
  z: T,
  { gradient, xi, stepSize }: LangevinMove,
): T {
  const drift = tf.mul(gradient, stepSize);
  const spread = typeof stepSize === "number"
    ? Math.sqrt(2 * stepSize)
    : tf.sqrt(tf.mul(stepSize, 2));
  const diffusion = tf.mul(xi, spread);
  return tf.add(tf.sub(z, drift), diffusion) as T;
}

/** A chain: its length, step size and noise. */
export interface Chain {
  readonly steps: number;
  /** eta. */
  readonly stepSize: number;
  /** Absent for a chain without noise, gradient descent. */
  readonly noise?: Noise;
}

/**
 * The end of chains for exp(-U) from each row of `start` [m, latentDim]. `energy` gives U summed over the rows (a mean
 * would divide every row's gradient by m).
 */
export function langevinChain(
  energy: (z: tf.Tensor2D) => tf.Scalar,
  start: tf.Tensor2D,
  { steps, stepSize, noise }: Chain,
): tf.Tensor2D {
  if (steps === 0) return start;
  const gradient = tf.grad((z: tf.Tensor) => energy(z as tf.Tensor2D));
  if (noise === undefined) {
    const descend = ({ z }: { z: tf.Tensor }) => ({ z: tf.sub(z, tf.mul(gradient(z), stepSize)) });
    return repeat(steps, { z: start as tf.Tensor }, descend).z as tf.Tensor2D;
  }
  const xi = noise.normal([steps, ...start.shape]);
  const { z } = repeat(
    steps,
    { z: start as tf.Tensor },
    ({ z }, each) => ({ z: langevinStep(z, { gradient: gradient(z), xi: each.xi, stepSize }) }),
    { xi },
  );
  return z as tf.Tensor2D;
}
