import * as tf from "@tensorflow/tfjs";
import type { Target } from "../../harness/core/toy_types.ts";
import { fixedNormals } from "../../harness/core/noise.ts";

const RADIUS = 4;
const STD = 0.5;
const centres = Array.from({ length: 8 }, (_, j) => [
  RADIUS * Math.cos(Math.PI * j / 4),
  RADIUS * Math.sin(Math.PI * j / 4),
]);

/** A ring of eight Gaussians, sampled unconditionally from a hundred fixed inputs. Paper, section 6.1, Fig. 2B. */
export const eightGaussians: Target = {
  name: "eight_gaussians",
  label: "Eight Gaussians",
  source:
    "Langevin Autoencoders, section 6.1, Fig. 2B: a mixture of eight Gaussians, fixed u ~ N(0, I)",
  deviations: [
    "the paper prints no constants; here: radius 4, standard deviation 0.5, 100 inputs of 64 dimensions, 2 hidden layers of 256, eta 0.01",
  ],
  points: 100,
  dim: 2,
  inputs: fixedNormals("toy/eight_gaussians/u", { rows: 100, width: 64 }),
  encoder: { depth: 2, width: 256, activation: "relu" },
  parameters: {},
  logDensity: (z) => {
    const difference = tf.sub(tf.expandDims(z, 2), tf.tensor2d(centres)); // [chains, points, 8, 2]
    const squares = tf.sum(tf.square(difference), 3);
    return tf.logSumExp(tf.mul(squares, -0.5 / STD ** 2), 2) as tf.Tensor2D;
  },
  answer: { kind: "grid", extent: 6.4, cells: 320, shared: true, modes: { centres, std: STD } },
  gradientScale: 1 / STD,
  stepSize: 0.01,
  batchSize: 50,
  length: { chains: 2, steps: 20_000, burnIn: 5_000, thin: 100 },
};
