import * as tf from "@tensorflow/tfjs";
import { repeat } from "../core/repeat.ts";
import type { Noise } from "../core/types.ts";

/** Lanczos iterations, at 2 gradients each. Ten find the largest curvature of random decoders to 2 % in the mean. */
const ITERATIONS = 10;

/** Keeps a direction that has vanished at zero. */
const TINY = 1e-20;

/**
 * Lanczos coefficients [count, k] of the Hessian of U at each row of `z` [count, d], whose `gradient` is [count, d]; k is
 * d or 10, whichever is less. Products with the Hessian are central differences of gradients: second derivatives of tfjs are
 * wrong through exp, sigmoid and tanh. The gradients are `epsilon` away on either side of `z`. `linalg/lanczos.ts` turns the coefficients into the largest curvature.
 */
export function lanczosCoefficients(
  gradient: (z: tf.Tensor2D) => tf.Tensor2D,
  z: tf.Tensor2D,
  { epsilon, noise }: { readonly epsilon: tf.Scalar; readonly noise: Noise },
): { readonly diagonal: tf.Tensor2D; readonly offDiagonal: tf.Tensor2D } {
  const [count, dimension] = z.shape;
  const iterations = Math.min(ITERATIONS, dimension);
  const direction = noise.normal<tf.Tensor2D>(z.shape);
  const { diagonal, offDiagonal } = repeat(
    iterations,
    {
      v: tf.div(direction, norms(direction)) as tf.Tensor,
      before: tf.zerosLike(z) as tf.Tensor,
      beta: tf.zeros([count, 1]) as tf.Tensor,
      diagonal: tf.zeros([count, iterations]) as tf.Tensor,
      offDiagonal: tf.zeros([count, iterations]) as tf.Tensor,
    },
    ({ v, before, beta, diagonal, offDiagonal }, { place }) => {
      const step = tf.mul(v, epsilon);
      const difference = tf.sub(
        gradient(tf.add(z, step) as tf.Tensor2D),
        gradient(tf.sub(z, step) as tf.Tensor2D),
      );
      const product = tf.div(difference, tf.mul(epsilon, 2)); // H v
      const alpha = tf.sum(tf.mul(v, product), 1, true);
      const rest = tf.sub(tf.sub(product, tf.mul(alpha, v)), tf.mul(beta, before));
      const nextBeta = norms(rest);
      return {
        v: tf.div(rest, tf.add(nextBeta, TINY)),
        before: v,
        beta: nextBeta,
        diagonal: tf.add(diagonal, tf.mul(alpha, place)),
        offDiagonal: tf.add(offDiagonal, tf.mul(nextBeta, place)),
      };
    },
    { place: unitRows(iterations) },
  );
  return { diagonal: diagonal as tf.Tensor2D, offDiagonal: offDiagonal as tf.Tensor2D };
}

/** Euclidean norm of each row, [count, 1]. */
function norms(z: tf.Tensor): tf.Tensor {
  return tf.sqrt(tf.sum(tf.square(z), 1, true));
}

/** The identity matrix as n rows that broadcast over chains, [n, 1, n]. */
function unitRows(n: number): tf.Tensor {
  const index = tf.range(0, n);
  const equal = tf.equal(tf.reshape(index, [n, 1, 1]), tf.reshape(index, [1, 1, n]));
  return tf.cast(equal, "float32");
}
