/**
 * One layer of a flow on maps: activation normalisation, an invertible mixture of channels and a coupling (Ho et al. 2019,
 * Flow++; Kingma and Dhariwal 2018, Glow).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { mapTree } from "../../harness/core/tree.ts";
import type { Noise, Tree } from "../../harness/core/types.ts";
import {
  applyCouplingNet,
  type CouplingNetHyper,
  couplingNetMacs,
  type CouplingNetParams,
  initCouplingNet,
} from "./coupling_net.ts";
import { logisticMixture, logisticMixtureInverse } from "./logistic_mixture.ts";
import { inverseOf, mixingMatrix, type MixingParams } from "./mixing.ts";

/** Settings of the couplings. */
export interface CouplingHyper extends
  Pick<
    CouplingNetHyper,
    "channels" | "blocks" | "attention" | "weightNorm" | "auxiliaryChannels"
  > {
  /** K: components of the mixtures of logistics in couplings; 0 for affine couplings. */
  readonly components: number;
}

/** Parameters of a layer. */
export type FlowLayerParams = {
  readonly mean: tf.Tensor;
  /** Log of the factor after the mean is subtracted. */
  readonly logScale: tf.Tensor;
  readonly mixing: MixingParams;
  readonly net: CouplingNetParams;
  /** Factor on the couplings' log scales, a channel each. */
  readonly rescale: tf.Tensor;
};

/** Settings of the coupling's network on maps of `channels` channels in both halves. */
function netOf(channels: number, { components, ...hyper }: CouplingHyper): CouplingNetHyper {
  return { ...hyper, inputs: channels / 2, outputs: channels / 2 * (2 + 3 * components) };
}

/** Multiply-accumulates of a layer on maps of `places` places and `channels` channels in both halves. */
export function flowLayerMacs(
  { channels, places }: { readonly channels: number; readonly places: number },
  hyper: CouplingHyper,
): number {
  return couplingNetMacs(netOf(channels, hyper), places) + places * channels ** 2;
}

// Deviation: CoopFlow's flow starts near the identity: no initialisation from data, so that the flow learns from the chain alone
/** Initial parameters of a layer on maps of `channels` channels in both halves. */
export function initFlowLayer(
  channels: number,
  hyper: CouplingHyper,
  noise: Noise,
): FlowLayerParams {
  return {
    mean: tf.zeros([channels]),
    logScale: tf.zeros([channels]),
    mixing: {
      // Starts at the identity with noise of 1e-3, as in CoopFlow's code.
      factors: tf.mul(noise.split("mixing").normal([channels, channels]), 1e-3),
      logDiagonal: tf.zeros([channels]),
    },
    net: initCouplingNet(netOf(channels, hyper), noise),
    rescale: tf.ones([channels / 2]),
  };
}

/** Inputs of a layer besides its maps and parameters. */
export interface Conditions {
  /** As of `CouplingHyper`. */
  readonly components: number;
  /** Maps [m, h, w, auxiliary] that the coupling's network sees; absent if it sees none. */
  readonly auxiliary?: tf.Tensor4D;
}

/**
 * One layer on `x` [m, h, w, 2 k]: (x - mean) exp(logScale), the mixture of the channels at each place, then the coupling
 * (a, b) -> ((a' + t(b)) exp(s(b))), with a' = a or the logit of a mixture's distribution function at a; halves change places.
 */
export function forward(
  { mean, logScale, mixing, net, rescale }: FlowLayerParams,
  x: tf.Tensor4D,
  { components, auxiliary }: Conditions,
): { readonly y: tf.Tensor4D; readonly logDet: tf.Tensor1D } {
  const [, h, w] = x.shape;
  const normed: tf.Tensor4D = tf.mul(tf.sub(x, mean), tf.exp(logScale));
  const mixed = atEachPlace(normed, mixingMatrix(mixing));
  const [a, b] = tf.split<tf.Tensor4D>(mixed, 2, 3);
  const { s, t, ...mixture } = couplingOf(b, { net, rescale, components, auxiliary });
  const inner = components === 0
    ? { value: a, logSlope: tf.zerosLike(a) }
    : logisticMixture(a, mixture);
  const out = tf.mul(tf.add(inner.value, t), tf.exp(s));
  const perPlace = tf.mul(tf.add(tf.sum(logScale), tf.sum(mixing.logDiagonal)), h * w);
  const logDet: tf.Tensor1D = tf.add(tf.sum(tf.add(s, inner.logSlope), [1, 2, 3]), perPlace);
  return { y: tf.concat([b, out as tf.Tensor4D], 3), logDet };
}

/** The inverse of `forward`. */
export function backward(
  { mean, logScale, mixing, net, rescale }: FlowLayerParams,
  y: tf.Tensor4D,
  { components, auxiliary }: Conditions,
): tf.Tensor4D {
  const [b, out] = tf.split<tf.Tensor4D>(y, 2, 3);
  const { s, t, ...mixture } = couplingOf(b, { net, rescale, components, auxiliary });
  const value = tf.sub(tf.mul(out, tf.exp(tf.neg(s))), t) as tf.Tensor4D;
  const a = components === 0 ? value : logisticMixtureInverse(value, mixture);
  const normed = atEachPlace(tf.concat([a, b], 3), inverseOf(mixing));
  return tf.add(tf.mul(normed, tf.exp(tf.neg(logScale))), mean);
}

/** x W at each place, for W [channels, channels]. */
function atEachPlace(x: tf.Tensor4D, w: tf.Tensor2D): tf.Tensor4D {
  const [m, h, width, c] = x.shape;
  return tf.reshape(tf.matMul(tf.reshape(x, [m * h * width, c]), w), [m, h, width, c]);
}

/** Least log scale of a logistic, as in Flow++'s code. */
const LEAST_LOG_SCALE = -7;

/** Log scale s and shift t of a coupling given `b` [m, h, w, k], and the mixtures [m, h, w, k, components]. */
function couplingOf(
  b: tf.Tensor4D,
  { net, rescale, components, auxiliary }: Conditions & {
    readonly net: CouplingNetParams;
    readonly rescale: tf.Tensor;
  },
) {
  const [m, h, w, k] = b.shape;
  const sizes = [k, k, ...components === 0 ? [] : Array<number>(3).fill(k * components)];
  const [raw, t, ...rest] = tf.split(applyCouplingNet(net, b, auxiliary), sizes, 3);
  const [logits, means, logScales] = rest.map((part) => tf.reshape(part, [m, h, w, k, components]));
  return {
    s: tf.mul(rescale, tf.tanh(raw)) as tf.Tensor4D,
    t,
    logits,
    means,
    logScales: logScales && tf.maximum(logScales, LEAST_LOG_SCALE),
  };
}

/** `gradients` of the loss with decay / 2 times the square of each scale of weight normalisation, and of `rescale`, added. */
export function decayScales<P extends Tree>(
  gradients: P,
  { params, decay }: { readonly params: P; readonly decay: number },
): P {
  const isScale = (path: string) => /\/(re)?scale$/.test(path);
  return mapTree(
    gradients,
    ([g, w], path) => isScale(path) ? tf.add(g, tf.mul(w, decay)) : g,
    params,
  );
}
