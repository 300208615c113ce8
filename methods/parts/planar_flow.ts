/**
 * Planar flows (Rezende and Mohamed 2015, section 4.1 and appendix A.1). Parameters in the state: `flow/<k>/u`, `/w`, `/b`,
 * the same for every image.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise, State } from "../../harness/core/types.ts";

/** Standard deviation of the initial u and w: the flow starts close to the identity. */
const INITIAL_DEVIATION = 0.1;

/** Parameters of `count` planar layers on latents of `latentDim`. */
export function initPlanarFlow(
  { count, latentDim }: { count: number; latentDim: number },
  noise: Noise,
): State {
  const params: Record<string, tf.Tensor> = {};
  for (let k = 0; k < count; k++) {
    for (const name of ["u", "w"]) {
      params[`flow/${k}/${name}`] = tf.mul(
        noise.split("flow", k, name).normal([latentDim]),
        INITIAL_DEVIATION,
      );
    }
    params[`flow/${k}/b`] = tf.scalar(0);
  }
  return params;
}

/** Latents after the flow, and the sum over layers of log |det| of its Jacobian. */
export interface Transported {
  /** [m, latentDim]. */
  readonly latents: tf.Tensor2D;
  /** [m]. */
  readonly logDet: tf.Tensor1D;
}

/** `latents` [m, latentDim] pushed through `count` planar layers. */
export function planarFlow(
  params: State,
  { latents, count }: { latents: tf.Tensor2D; count: number },
): Transported {
  let z = latents;
  let logDet = tf.zeros([latents.shape[0]]) as tf.Tensor1D;
  for (let k = 0; k < count; k++) {
    const layer = planarLayer(z, {
      u: params[`flow/${k}/u`] as tf.Tensor1D,
      w: params[`flow/${k}/w`] as tf.Tensor1D,
      b: params[`flow/${k}/b`] as tf.Scalar,
    });
    z = layer.latents;
    logDet = tf.add(logDet, layer.logDet);
  }
  return { latents: z, logDet };
}

/** z + u tanh(w.z + b) and log |1 + (1 - tanh^2(w.z + b)) w.u|, with u moved so that w.u > -1 (A.1: the layer is invertible). */
function planarLayer(
  z: tf.Tensor2D,
  { u, w, b }: { u: tf.Tensor1D; w: tf.Tensor1D; b: tf.Scalar },
): Transported {
  const wu = tf.sum(tf.mul(w, u));
  // m(a) = -1 + log(1 + e^a); the new u has w.u = m(w.u).
  const excess = tf.sub(tf.sub(tf.softplus(wu), 1), wu);
  const squaredNorm = tf.add(tf.sum(tf.square(w)), SMALLEST_SQUARED_NORM);
  const invertible = tf.add(u, tf.mul(w, tf.div(excess, squaredNorm)));
  const a = tf.tanh(tf.add(tf.sum(tf.mul(z, w), 1), b)); // [m]
  const stretch = tf.mul(tf.sub(1, tf.square(a)), tf.sum(tf.mul(w, invertible)));
  return {
    latents: tf.add(z, tf.mul(tf.expandDims(a, 1), invertible)) as tf.Tensor2D,
    // 1 + psi.u > 0 for the moved u: the absolute value is not needed.
    logDet: tf.log1p(stretch) as tf.Tensor1D,
  };
}

/** Added to ||w||^2: without it the layer with w = 0 would be 0 / 0. */
const SMALLEST_SQUARED_NORM = 1e-12;
