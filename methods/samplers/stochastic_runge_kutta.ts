import * as tf from "@tensorflow/tfjs";

/** One step of stochastic Runge-Kutta. */
export interface RungeKuttaMove<T extends tf.Tensor> {
  /** grad U at any x, of the shape of x. */
  readonly gradient: (x: T) => T;
  /** Two standard normal draws of the shape of x. */
  readonly xi: tf.Tensor;
  readonly other: tf.Tensor;
  /** eta. */
  readonly stepSize: number;
}

/**
 * One step of stochastic Runge-Kutta of strong order 1.5 from `x`, with two points h1, h2 on the Brownian path:
 * h1 = x + sqrt(2 eta) [(1/2 + 1/sqrt 6) xi + xi' / sqrt 12], h2 = x - eta grad U(x) + sqrt(2 eta) [(1/2 - 1/sqrt 6) xi +
 * xi' / sqrt 12], then x - eta/2 (grad U(h1) + grad U(h2)) + sqrt(2 eta) xi. Li et al. 2019, eq. 9.
 */
export function rungeKuttaStep<T extends tf.Tensor>(
  x: T,
  { gradient, xi, other, stepSize }: RungeKuttaMove<T>,
): T {
  const scale = Math.sqrt(2 * stepSize);
  const path = (weight: number) =>
    tf.mul(tf.add(tf.mul(xi, weight), tf.mul(other, 1 / Math.sqrt(12))), scale);
  const h1 = tf.add(x, path(1 / 2 + 1 / Math.sqrt(6))) as T;
  const drift = tf.mul(gradient(x), stepSize);
  const h2 = tf.add(tf.sub(x, drift), path(1 / 2 - 1 / Math.sqrt(6))) as T;
  const gradients = tf.add(gradient(h1), gradient(h2));
  return tf.add(tf.sub(x, tf.mul(gradients, stepSize / 2)), tf.mul(xi, scale)) as T;
}
