import * as tf from "@tensorflow/tfjs";
import { inverse2x2 } from "../../harness/linalg/matrix.ts";
import type { Target } from "../../harness/core/toy_types.ts";
import { gaussianLogDensity } from "./conjugate.ts";
import { metropolisOnly, SINGLE_DENSITY } from "./single_density.ts";

/** The support is [-2, 2]^2. */
const EDGE = 2;
/** Stands for the infinite energy outside, where float32 and its differences stay finite. */
const WALL = 1e30;
const means = [[0.8, -0.4]];
const precision = inverse2x2([[1, 0.6], [0.6, 1.5]]);

/** N((0.8, -0.4), [[1, 0.6], [0.6, 1.5]]) cut off at the square [-2, 2]^2: the density is not small at the border. */
export const truncatedGaussian: Target = {
  ...SINGLE_DENSITY,
  name: "truncated",
  label: "Truncated Gaussian",
  source: "a Gaussian under box constraints, as in Pakman and Paninski 2014",
  deviations: [
    "outside the square the energy is 1e30 instead of infinite, with the Gaussian's gradient",
  ],
  dim: 2,
  logDensity: (z) => {
    const outside = tf.step(tf.sub(tf.max(tf.abs(z), 2), EDGE)); // its gradient is zero
    return tf.sub(gaussianLogDensity(z, { means, precision }), tf.mul(outside, WALL));
  },
  answer: { kind: "grid", extent: EDGE, cells: 320, shared: false },
  ungated: metropolisOnly("without a Metropolis test nothing keeps a chain inside the support"),
  gradientScale: 0.9,
  stepSize: 0.05,
  length: { chains: 256, steps: 9_000, burnIn: 1_000, thin: 10 },
};
