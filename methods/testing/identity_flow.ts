import * as tf from "@tensorflow/tfjs";
import { mapTree } from "../../harness/core/tree.ts";
import type { Tree } from "../../harness/core/types.ts";

/**
 * `state` with the identity for the latent flow that it may have: W = I, and a last bias that makes the couplings' scale
 * sigmoid(20), 1 in float32.
 */
export function withIdentityFlow(state: Tree): Tree {
  return mapTree(state, ([t], path) => {
    const isFlow = /^(flow|pivots)\//.test(path);
    if (isFlow && path.endsWith("order")) return tf.eye(t.shape[0]);
    if (isFlow && path.endsWith("sign")) return tf.ones(t.shape);
    if (/^flow\/.*last\/bias/.test(path)) {
      const half = t.size / 2;
      return tf.tensor1d(Array.from({ length: t.size }, (_, i) => i < half ? 0 : 18));
    }
    return /^flow\/.*(actnorm|mixing)/.test(path) ? tf.zerosLike(t) : t;
  });
}
