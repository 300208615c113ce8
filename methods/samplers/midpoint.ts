import * as tf from "@tensorflow/tfjs";
import { langevinStep } from "./langevin.ts";

/** One step of the randomized mid-point rule. */
export interface MidpointMove<T extends tf.Tensor> {
  /** grad U at any x, of the shape of x. */
  readonly gradient: (x: T) => T;
  /** Optimistic: the gradient at the last mid-point, used in place of grad U(x). */
  readonly slope?: T;
  /** Uniform in [0, 1), of a shape that broadcasts to that of x. */
  readonly alpha: tf.Tensor;
  /** Standard normal draws of the shape of x: the noise up to the mid-point, and the noise after it. */
  readonly early: tf.Tensor;
  readonly late: tf.Tensor;
  /** Coupled noise is one Brownian path, xi = sqrt(alpha) xi' + sqrt(1 - alpha) xi''; independent noise has xi = xi''. */
  readonly noise: "coupled" | "independent";
  /** eta. */
  readonly stepSize: number;
}

/**
 * One randomized mid-point step from `x`: m = x - alpha eta grad U(x) + sqrt(2 alpha eta) xi', alpha ~ U[0, 1], then
 * x - eta grad U(m) + sqrt(2 eta) xi. `slope` is grad U(m), which the optimistic rule uses for its next mid-point. Shen
 * and Lee 2019; Karimi, Hsieh and Krause 2023.
 */
export function midpointStep<T extends tf.Tensor>(
  x: T,
  { gradient, slope, alpha, early, late, noise, stepSize }: MidpointMove<T>,
): { readonly x: T; readonly slope: T } {
  const first = slope ?? gradient(x);
  const drift = tf.mul(tf.mul(alpha, stepSize), first);
  const partial = tf.mul(tf.sqrt(alpha), early); // the path up to the mid-point
  const middle = tf.add(tf.sub(x, drift), tf.mul(partial, Math.sqrt(2 * stepSize))) as T;
  const xi = noise === "coupled" ? tf.add(partial, tf.mul(tf.sqrt(tf.sub(1, alpha)), late)) : late;
  const next = gradient(middle);
  return { x: langevinStep(x, { gradient: next, xi, stepSize }), slope: next };
}
