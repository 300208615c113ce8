/**
 * The latent sampler network z = Psi h(u) of LAE (section 3.3): frozen features h of fixed standard normal inputs u, one
 * input for each prior chain, and a last layer Psi that is a chain.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise } from "../../harness/core/types.ts";
import { initLastLayer } from "./amortized_encoder.ts";
import { type NetHyper, samplerFeatureCount, samplerNet } from "./architectures.ts";
import { applyNet, initNet, macCount, type NetParams } from "./nets.ts";

/** Hyperparameters of the latent sampler network. */
export type LatentSamplerHyper = NetHyper & Readonly<{ inputDim: number; chainCount: number }>;

/**
 * Parameters: of h (absent if h is the identity), Psi [d, latentDim], and the inputs [chainCount, inputDim] of the chains if
 * there are fewer chains than rows.
 */
export type LatentSamplerParams = {
  readonly sampler?: NetParams;
  readonly inputs?: tf.Tensor2D;
  readonly psi: tf.Tensor2D;
};

/** The latent sampler network. Its chains are those of the rows, or row modulo chainCount. */
export interface LatentSampler {
  init(noise: Noise): LatentSamplerParams;
  /** h(u) for the chains of `rows` [m]: [m, d]. */
  chainFeatures(
    params: LatentSamplerParams,
    options: { readonly rows: tf.Tensor1D; readonly noise: Noise },
  ): tf.Tensor2D;
  /** h(u) for `count` samples, [count, d]: at new inputs, or at inputs of random chains if those are kept. */
  newFeatures(
    params: LatentSamplerParams,
    options: { readonly count: number; readonly noise: Noise },
  ): tf.Tensor2D;
  /** d, the number of features. */
  readonly featureCount: number;
  /** Multiply-accumulates for one latent: of h, and of the product with Psi. */
  readonly macs: { readonly features: number; readonly psi: number };
}

/** The latent sampler network; with `chainCount` 0 each row has a chain, and its input is drawn from the row. */
export function latentSampler(hyper: LatentSamplerHyper): LatentSampler {
  const { inputDim, chainCount, latentDim } = hyper;
  const net = samplerNet(inputDim, hyper);
  const d = samplerFeatureCount(inputDim, hyper);
  const featuresOf = ({ sampler }: LatentSamplerParams, u: tf.Tensor) =>
    applyNet(net, { params: sampler, x: u }) as tf.Tensor2D;
  const ofChains = (params: LatentSamplerParams, chains: tf.Tensor1D) => {
    if (params.inputs === undefined) throw new TypeError("The state has no inputs of the chains");
    return featuresOf(params, tf.gather(params.inputs, chains));
  };
  return {
    init: (noise) => ({
      sampler: initNet(net, noise),
      ...(chainCount > 0 && { inputs: noise.split("inputs").normal([chainCount, inputDim]) }),
      psi: initLastLayer("psi", { shape: [d, latentDim], noise }),
    }),
    chainFeatures: (params, { rows, noise }) => {
      if (chainCount === 0) {
        return featuresOf(params, noise.split("inputs").normalOfRows(rows, inputDim));
      }
      const quotient = tf.cast(tf.div(tf.cast(rows, "float32"), chainCount), "int32");
      return ofChains(params, tf.sub(rows, tf.mul(quotient, tf.scalar(chainCount, "int32"))));
    },
    newFeatures: (params, { count, noise }) => {
      if (chainCount === 0) {
        return featuresOf(params, noise.split("inputs").normal([count, inputDim]));
      }
      const uniform = noise.split("chains").uniform<tf.Tensor1D>([count]);
      return ofChains(params, tf.cast(tf.mul(uniform, chainCount), "int32"));
    },
    featureCount: d,
    macs: { features: macCount(net.layers), psi: d * latentDim },
  };
}
