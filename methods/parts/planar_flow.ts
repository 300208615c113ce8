/**
 * Planar flows (Rezende and Mohamed 2015, section 4.1 and appendix A.1), the same for every image.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise } from "../../harness/core/types.ts";

/** Standard deviation of the initial u and w: the flow starts close to the identity. */
const INITIAL_DEVIATION = 0.1;

/** Parameters of one planar layer on latents of dimension d. */
export type PlanarParams = {
  /** [d]. */
  readonly u: tf.Tensor1D;
  /** [d]. */
  readonly w: tf.Tensor1D;
  readonly b: tf.Scalar;
};

/** Parameters of a flow by the number of the layer, from 0. */
export type FlowParams = { readonly [layer: string]: PlanarParams };

/** Parameters of `count` planar layers on latents of `latentDim`. */
export function initPlanarFlow(
  { count, latentDim }: { readonly count: number; readonly latentDim: number },
  noise: Noise,
): FlowParams {
  const layer = (k: number): PlanarParams => {
    const draw = (name: string): tf.Tensor1D =>
      tf.mul(noise.split("flow", k, name).normal([latentDim]), INITIAL_DEVIATION);
    return { u: draw("u"), w: draw("w"), b: tf.scalar(0) };
  };
  return Object.fromEntries(Array.from({ length: count }, (_, k) => [k, layer(k)]));
}

/** Latents after the flow, and the sum over layers of log |det| of its Jacobian. */
export interface Transported {
  /** [m, latentDim]. */
  readonly latents: tf.Tensor2D;
  /** [m]. */
  readonly logDet: tf.Tensor1D;
}

/** Applies the layers of `params` to `latents` [m, latentDim]. */
export function planarFlow(params: FlowParams, latents: tf.Tensor2D): Transported {
  let z = latents;
  let logDet: tf.Tensor1D = tf.zeros([latents.shape[0]]);
  for (let k = 0; k < Object.keys(params).length; k++) {
    const layer = planarLayer(z, params[k]);
    z = layer.latents;
    logDet = tf.add(logDet, layer.logDet);
  }
  return { latents: z, logDet };
}

/** z + u tanh(w.z + b) and log |1 + (1 - tanh^2(w.z + b)) w.u|, with u moved so that w.u > -1 (A.1: the layer is invertible). */
function planarLayer(
  z: tf.Tensor2D,
  { u, w, b }: PlanarParams,
): Transported {
  const wu = tf.sum(tf.mul(w, u));
  // m(a) = -1 + log(1 + e^a); the new u has w.u = m(w.u).
  const excess = tf.sub(tf.sub(tf.softplus(wu), 1), wu);
  const squaredNorm = tf.add(tf.sum(tf.square(w)), SMALLEST_SQUARED_NORM);
  const invertible = tf.add(u, tf.mul(w, tf.div(excess, squaredNorm)));
  const a: tf.Tensor1D = tf.tanh(tf.add(tf.sum(tf.mul(z, w), 1), b)); // [m]
  const stretch: tf.Tensor1D = tf.mul(tf.sub(1, tf.square(a)), tf.sum(tf.mul(w, invertible)));
  return {
    latents: tf.add(z, tf.mul(tf.expandDims(a, 1), invertible)),
    // 1 + psi.u > 0 for the moved u: the absolute value is not needed.
    logDet: tf.log1p(stretch),
  };
}

/** Added to ||w||^2, so that a layer with w = 0 is not 0 / 0. */
const SMALLEST_SQUARED_NORM = 1e-12;
