import * as tf from "@tensorflow/tfjs";
import { flatten, mapTree } from "../../harness/core/tree.ts";
import type { Tree } from "../../harness/core/types.ts";

/** Keeps the quotient finite where all gradients are 0, as PyTorch's clip_grad_norm_ does. */
const TINY = 1e-6;

/** `gradients`, all multiplied by one factor so that the norm of all together is at most `largest`. */
export function clipByNorm<P extends Tree>(gradients: P, largest: number): P {
  const squares = Object.values(flatten(gradients)).map((g) => tf.sum(tf.square(g)));
  const norm = tf.sqrt(tf.addN(squares));
  const factor = tf.minimum(tf.div(largest, tf.add(norm, TINY)), 1);
  return mapTree(gradients, ([g]) => tf.mul(g, factor));
}
