import * as tf from "@tensorflow/tfjs";
import type { GaussianTarget } from "../../harness/core/toy_types.ts";

/** An energy without a gradient, as that of a dead weight: a Gaussian of precision 0. */
export const flatEnergy: GaussianTarget = {
  name: "flat",
  label: "Flat energy",
  source: "the energy of a weight that no output depends on",
  deviations: [],
  points: 10,
  dim: 1,
  inputs: Array.from({ length: 10 }, (_, i) => [i]),
  encoder: { depth: 1, width: 16, activation: "tanh" },
  parameters: {},
  logDensity: (z) => tf.mul(tf.sum(z, 2), 0) as tf.Tensor2D,
  answer: {
    kind: "gaussian",
    means: Array.from({ length: 10 }, () => [0]),
    covariance: [[Infinity]],
  },
  gradientScale: 0,
  stepSize: 0.01,
  batchSize: 5,
  length: { chains: 1000, steps: 20, burnIn: 10, thin: 1 },
};
