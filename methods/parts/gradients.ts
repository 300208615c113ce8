import * as tf from "@tensorflow/tfjs";
import { flatten, unflatten } from "../../harness/core/tree.ts";
import type { Tree } from "../../harness/core/types.ts";

/** A loss, and further scalars to record. */
export type Parts = Readonly<Record<string, tf.Scalar>> & { readonly loss: tf.Scalar };

/** The parts of a loss at `params`, and the gradient of `loss` with respect to each of `params`. */
export function lossAndGradients<P extends Tree, L extends Parts>(
  f: (params: P) => L,
  params: P,
): { readonly parts: L; readonly gradients: P } {
  const flat = flatten(params);
  const names = Object.keys(flat);
  const toTree = (tensors: readonly tf.Tensor[]) =>
    unflatten(Object.fromEntries(names.map((name, i) => [name, tensors[i]]))) as P;
  // tfjs returns only the loss and disposes of all else: keep the other scalars.
  const kept: Record<string, tf.Tensor> = {};
  const run = tf.valueAndGrads((...values: tf.Tensor[]) => {
    const { loss, ...others } = f(toTree(values));
    for (const [name, part] of Object.entries(others)) kept[name] = tf.keep(part);
    return loss;
  });
  const { value, grads } = run(names.map((name) => flat[name]));
  const others = Object.entries(kept).map(([name, part]) => {
    const tracked = tf.clone(part);
    part.dispose();
    return [name, tracked] as const;
  });
  return {
    parts: { loss: value, ...Object.fromEntries(others) } as unknown as L,
    gradients: toTree(grads),
  };
}
