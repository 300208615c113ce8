/**
 * The latent sampler z = Psi h(u) of LAE (section 3.3): frozen features h of fixed standard normal inputs u, one input for each
 * prior chain. Parameters in the state: `sampler/...`, and `inputs` if there are fewer chains than rows.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise, State } from "../../harness/core/types.ts";
import { type NetHyper, samplerNet } from "./architectures.ts";
import { applyNet, initNet } from "./nets.ts";

/** Hyperparameters of the sampler. */
export type SamplerHyper = NetHyper & Readonly<{ inputDim: number; chainCount: number }>;

/** Frozen h, and the inputs of `chainCount` chains; with 0, a chain for each row, inputs are drawn from the row. */
export function initSampler(hyper: SamplerHyper, noise: Noise): State {
  const { chainCount, inputDim } = hyper;
  return {
    ...initNet(samplerNet(inputDim, hyper), noise),
    ...(chainCount > 0 && { inputs: noise.split("inputs").normal([chainCount, inputDim]) }),
  };
}

/** h(u) for the chains of `rows` [m]: of each row its own, or chain row modulo chainCount. [m, d]. */
export function chainFeatures(
  state: State,
  rows: tf.Tensor1D,
  { hyper, noise }: { hyper: SamplerHyper; noise: Noise },
): tf.Tensor2D {
  const { chainCount, inputDim } = hyper;
  if (chainCount === 0) {
    return featuresOf(state, noise.split("inputs").normalOfRows(rows, inputDim), hyper);
  }
  const quotient = tf.cast(tf.div(tf.cast(rows, "float32"), chainCount), "int32");
  const chains = tf.sub(rows, tf.mul(quotient, tf.scalar(chainCount, "int32"))) as tf.Tensor1D;
  return featuresOf(state, tf.gather(state.inputs as tf.Tensor2D, chains), hyper);
}

/** h(u) for `count` samples: of new inputs, or of chains drawn at random if their inputs are kept. [count, d]. */
export function newChainFeatures(
  state: State,
  count: number,
  { hyper, noise }: { hyper: SamplerHyper; noise: Noise },
): tf.Tensor2D {
  const { chainCount, inputDim } = hyper;
  if (chainCount === 0) {
    return featuresOf(state, noise.split("inputs").normal([count, inputDim]), hyper);
  }
  const chains = tf.cast(tf.mul(noise.split("chains").uniform([count]), chainCount), "int32");
  return featuresOf(state, tf.gather(state.inputs as tf.Tensor2D, chains as tf.Tensor1D), hyper);
}

function featuresOf(state: State, u: tf.Tensor, hyper: SamplerHyper): tf.Tensor2D {
  return applyNet(samplerNet(hyper.inputDim, hyper), { params: state, x: u }) as tf.Tensor2D;
}
