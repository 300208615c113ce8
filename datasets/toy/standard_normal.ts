import * as tf from "@tensorflow/tfjs";
import type { Target } from "../../harness/core/toy_types.ts";

/** N(0, 1), for which the bias of every integrator is known in closed form. */
export const standardNormal: Target = {
  name: "standard_normal",
  label: "N(0, 1)",
  source: "Karimi, Hsieh and Krause 2023; variances of the integrators on a quadratic",
  deviations: [],
  points: 1,
  dim: 1,
  inputs: [[1]],
  encoder: { depth: 1, width: 8, activation: "tanh" },
  parameters: {},
  logDensity: (z) => tf.mul(tf.sum(tf.square(z), 2), -0.5) as tf.Tensor2D,
  answer: { kind: "gaussian", means: [[0]], covariance: [[1]] },
  gradientScale: 1,
  stepSize: 0.1,
  batchSize: 1,
  length: { chains: 1000, steps: 200, burnIn: 100, thin: 20 },
};
