/**
 * Invertible mixtures of channels, W = L U, with L unit lower and U upper triangular (Kingma and Dhariwal 2018, eq. 10, without
 * the permutation): a product of matrices without a determinant or a general inverse.
 *
 * Deviation: The 1x1 convolutions of CoopFlow's flow are products of triangular matrices, which start near the identity as the code's dense ones do: their determinant is exact, and their inverse takes products alone
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Parameters of W [d, d]. */
export type MixingParams = {
  /** Below the diagonal L, above it U; the diagonal is not used. [d, d]. */
  readonly factors: tf.Tensor;
  /** Logs of U's diagonal, [d]. */
  readonly logDiagonal: tf.Tensor;
};

/** The parts of `factors` below and above the diagonal. */
function triangles(
  factors: tf.Tensor,
): { readonly below: tf.Tensor2D; readonly above: tf.Tensor2D } {
  const [d] = factors.shape;
  const rows = tf.reshape(tf.range(0, d), [d, 1]);
  const columns = tf.reshape(tf.range(0, d), [1, d]);
  const part = (mask: tf.Tensor) => tf.mul(factors, tf.cast(mask, "float32")) as tf.Tensor2D;
  return { below: part(tf.greater(rows, columns)), above: part(tf.less(rows, columns)) };
}

/** The identity [d, d]. */
function identity(d: number): tf.Tensor2D {
  const rows = tf.reshape(tf.range(0, d), [d, 1]);
  return tf.cast(tf.equal(rows, tf.reshape(tf.range(0, d), [1, d])), "float32");
}

/** W = (I + below) (diag(exp(logDiagonal)) + above): log |det W| is the sum of logDiagonal. */
export function mixingMatrix({ factors, logDiagonal }: MixingParams): tf.Tensor2D {
  const [d] = factors.shape;
  const { below, above } = triangles(factors);
  const eye = identity(d);
  return tf.matMul(tf.add(eye, below), tf.add(tf.mul(eye, tf.exp(logDiagonal)), above));
}

/** W^-1. */
export function inverseOf({ factors, logDiagonal }: MixingParams): tf.Tensor2D {
  const [d] = factors.shape;
  const { below, above } = triangles(factors);
  const inverseDiagonal = tf.exp(tf.neg(logDiagonal));
  // U = D (I + D^-1 above), and the inverse of I + N is that of a nilpotent N.
  const scaled = tf.mul(above, tf.reshape(inverseDiagonal, [d, 1])) as tf.Tensor2D;
  const upper = tf.mul(unitInverse(scaled), inverseDiagonal) as tf.Tensor2D;
  return tf.matMul(upper, unitInverse(below));
}

/**
 * (I + N)^-1 = (I - N) (I + N^2) (I + N^4) ... for a strictly triangular N [d, d]. Float32 keeps it to 1e-6 up to some 16
 * channels; it loses all digits at 100 (measured with random orthogonal matrices).
 */
function unitInverse(n: tf.Tensor2D): tf.Tensor2D {
  const [d] = n.shape;
  const eye = identity(d);
  let power: tf.Tensor2D = tf.neg(n);
  let product: tf.Tensor2D = tf.add(eye, power);
  for (let order = 2; order < d; order *= 2) {
    power = tf.matMul(power, power);
    product = tf.matMul(product, tf.add(eye, power));
  }
  return product;
}

/** Deviations of the methods that use such mixtures. */
export const MIXING_DEVIATIONS: readonly string[] = [
  "The 1x1 convolutions of CoopFlow's flow are products of triangular matrices, which start near the identity as the code's dense ones do: their determinant is exact, and their inverse takes products alone",
];
