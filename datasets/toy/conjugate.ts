import * as tf from "@tensorflow/tfjs";
import type { Matrix } from "../../harness/core/types.ts";

/** Log density log N(z; means[i], precision^-1) up to a constant, from z [chains, points, dim] to [chains, points]. */
export function gaussianLogDensity(
  z: tf.Tensor3D,
  { means, precision }: { readonly means: Matrix; readonly precision: Matrix },
): tf.Tensor2D {
  const [chains, points, dim] = z.shape;
  const d = tf.sub(z, tf.tensor2d(means as number[][]));
  // Use one product for all chains and points: [chains * points, dim].
  const scaled = tf.matMul(tf.reshape(d, [-1, dim]), tf.tensor2d(precision as number[][]));
  const squares = tf.mul(d, tf.reshape(scaled, [chains, points, dim]));
  return tf.mul(tf.sum(squares, 2), -0.5) as tf.Tensor2D;
}
