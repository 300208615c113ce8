import * as tf from "@tensorflow/tfjs";

/**
 * Weights of the points in an unbiased estimate of a sum over them, [chains, points]: points / size for the `size` points
 * that a chain draws without replacement, 0 for the others. `order` are uniforms of the same shape. Welling and Teh 2011.
 */
export function minibatchWeights(order: tf.Tensor2D, size: number): tf.Tensor2D {
  const points = order.shape[1];
  // A point is in when fewer than `size` points come before it.
  const before = tf.less(tf.expandDims(order, 1), tf.expandDims(order, 2)); // [chains, points, points]
  const rank = tf.sum(tf.cast(before, "float32"), 2);
  return tf.mul(tf.cast(tf.less(rank, size), "float32"), points / size) as tf.Tensor2D;
}
