import * as tf from "@tensorflow/tfjs";

/** One step of mirror Langevin dynamics. */
export interface MirrorMove {
  /** grad U(x), of the shape of x. */
  readonly gradient: tf.Tensor;
  /** Standard normal draws of the shape of x. */
  readonly xi: tf.Tensor;
  /** eta. */
  readonly stepSize: number;
  /** s of the mirror map: it is flat within |x| < s and logarithmic beyond. */
  readonly scale: number;
}

/**
 * One mirror Langevin step from `x`: y - eta grad U(x) + sqrt(2 eta phi''(x)) xi in the dual y = phi'(x), with the hypentropy
 * phi'(x) = s asinh(x / s), phi''(x) = 1 / sqrt(1 + x^2 / s^2), on each coordinate. Zhang et al. 2020; Ghai, Hazan and Singer
 * 2020.
 */
export function mirrorStep<T extends tf.Tensor>(
  x: T,
  { gradient, xi, stepSize, scale }: MirrorMove,
): T {
  const u = tf.div(x, scale);
  const root = tf.sqrt(tf.add(tf.square(u), 1));
  // asinh by absolute value, so that negative u does not cancel.
  const dual = tf.mul(tf.sign(u), tf.log(tf.add(tf.abs(u), root)));
  const drift = tf.mul(gradient, stepSize);
  const noise = tf.mul(tf.sqrt(tf.div(2 * stepSize, root)), xi);
  const y = tf.add(dual, tf.div(tf.sub(noise, drift), scale));
  const sinh = tf.div(tf.sub(tf.exp(y), tf.exp(tf.neg(y))), 2);
  return tf.mul(sinh, scale) as T;
}
