/**
 * The encoder z = Phi g(x) of LAE (sections 3.1 and 4), whose last layer Phi is a chain over features g, frozen or trained.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ImageShape, Noise } from "../../harness/core/types.ts";
import { featureCount, featureNet, type NetHyper } from "./architectures.ts";
import { applyNet, initNet, macCount, type NetParams } from "./nets.ts";

/** Parameters of the encoder: of g (absent if g is the identity), and Phi [d, latentDim]. */
export type AmortizedParams = { readonly features?: NetParams; readonly phi: tf.Tensor2D };

/** The encoder z = Phi g(x). */
export interface AmortizedEncoder {
  init(noise: Noise): AmortizedParams;
  /** g(x) for images `x` [m, height, width, channels] in [-1, 1]: [m, d]. */
  features(params: Pick<AmortizedParams, "features">, x: tf.Tensor): tf.Tensor2D;
  /** z = Phi g(x), [m, latentDim]. Theorem 1, condition 1: the last layer is linear, without a bias. */
  encode(params: AmortizedParams, x: tf.Tensor): tf.Tensor2D;
  /** d, the number of features. */
  readonly featureCount: number;
  /** Multiply-accumulates for one image: of g, and of the product with Phi. */
  readonly macs: { readonly features: number; readonly phi: number };
}

/** The encoder for `image`. */
export function amortizedEncoder(image: ImageShape, hyper: NetHyper): AmortizedEncoder {
  const net = featureNet(image, hyper);
  const d = featureCount(image, hyper);
  const features: AmortizedEncoder["features"] = (params, x) =>
    tf.reshape(applyNet(net, { params: params.features, x }), [x.shape[0], -1]);
  return {
    init: (noise) => ({
      features: initNet(net, noise),
      phi: initLastLayer("phi", { shape: [d, hyper.latentDim], noise }),
    }),
    features,
    encode: (params, x) => tf.matMul(features(params, x), params.phi),
    featureCount: d,
    macs: { features: macCount(net.layers), phi: d * hyper.latentDim },
  };
}

/** Standard normal weights [d, latentDim] over sqrt(d): a last layer whose outputs have the size of its features. */
export function initLastLayer(
  name: string,
  { shape, noise }: { readonly shape: readonly [number, number]; readonly noise: Noise },
): tf.Tensor2D {
  return tf.mul(noise.split(name).normal<tf.Tensor2D>(shape), Math.sqrt(1 / shape[0]));
}
