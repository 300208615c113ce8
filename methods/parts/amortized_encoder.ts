/**
 * The encoder z = Phi g(x) of LAE (sections 3.1 and 4), whose last layer Phi is a chain: parameters `features/...` of g, frozen or
 * trained, and `phi` [d, latentDim] in the state.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { State } from "../../harness/core/types.ts";
import { featureNet, type NetHyper } from "./architectures.ts";
import { imageOf } from "./model.ts";
import { applyNet } from "./nets.ts";

/** g(x) for images `x` [m, height, width, channels] in [-1, 1]: [m, d]. */
export function encoderFeatures(state: State, x: tf.Tensor, hyper: NetHyper): tf.Tensor2D {
  const g = applyNet(featureNet(imageOf(state), hyper), { params: state, x });
  return tf.reshape(g, [x.shape[0], -1]);
}

/** z = Phi g(x), [m, latentDim]. Theorem 1, condition 1: the last layer is linear, without a bias. */
export function encode(state: State, x: tf.Tensor, hyper: NetHyper): tf.Tensor2D {
  return tf.matMul(encoderFeatures(state, x, hyper), state.phi as tf.Tensor2D);
}
