import * as tf from "@tensorflow/tfjs";
import type { Target } from "../../harness/core/toy_types.ts";
import type { HostArrays, State } from "../../harness/core/types.ts";
import { fixedNormals } from "../../harness/core/noise.ts";

const WIDTHS = [2, 128, 128, 128, 2];
const LAYERS = WIDTHS.length - 1;
const WEIGHT_STD = 0.2;
const BIAS_STD = 0.1;
const OBSERVATION_STD = 0.25;
const POINTS = 3;

/**
 * Number of the draw of network and observations. With this draw, all three posteriors have at least four modes, and
 * chains move between them often enough to estimate their weights: in 8,000 steps LD's effective size was 679. For 30 of
 * the 38 draws tried it was 49 to 242.
 */
const DRAW = 25;

const parameters = drawParameters();
const observations = observe();

/** Skewed posteriors with several modes; the mean of p(x|z) is a random network. Paper, appendix F.2, Figs. 4 and 6. */
export const neuralLikelihood: Target = {
  name: "neural",
  label: "Neural likelihood",
  source:
    "Langevin Autoencoders, appendix F.2, Figs. 4 and 6: p(z) = N(0, I), p(x|z) = N(f(z), sigma_x^2 I)",
  deviations: [
    "0.2 and 0.1 are taken as standard deviations of weights and biases: as variances they give posteriors of single spikes",
    "one of 38 draws of network and data is used, in which each posterior has several modes between which chains of this length move",
    "sigma_x = 0.25 is taken as a standard deviation",
    "n = 3, as in the conjugate experiment; eta is 4e-3 with 48 chains, since a chain of 3,000 steps is worse than a Gaussian fit",
  ],
  points: POINTS,
  dim: 2,
  inputs: observations,
  encoder: { depth: 3, width: 128, activation: "relu" },
  parameters,
  logDensity: (z, weights) => {
    const flat = tf.reshape(z, [-1, 2]);
    const residual = tf.sub(
      tf.reshape(network(flat as tf.Tensor2D, weights), z.shape),
      tf.tensor2d(observations),
    );
    const likelihood = tf.mul(tf.sum(tf.square(residual), 2), -0.5 / OBSERVATION_STD ** 2);
    const prior = tf.mul(tf.sum(tf.square(z), 2), -0.5);
    return tf.add(likelihood, prior) as tf.Tensor2D;
  },
  answer: { kind: "grid", extent: 5, cells: 320, shared: false },
  gradientScale: 6,
  stepSize: 4e-3,
  batchSize: 1,
  length: { chains: 48, steps: 12_000, burnIn: 1_000, thin: 10 },
};

/** Computes f(z) [count, 2] from z [count, 2]: three ReLU layers and a linear one. */
function network(z: tf.Tensor2D, weights: State): tf.Tensor2D {
  let h = z;
  for (let i = 0; i < LAYERS; i++) {
    h = tf.add(tf.matMul(h, weights[`weight/${i}`] as tf.Tensor2D), weights[`bias/${i}`]);
    if (i < LAYERS - 1) h = tf.relu(h);
  }
  return h;
}

function drawParameters(): HostArrays {
  const arrays: Record<string, HostArrays[string]> = {};
  for (let i = 0; i < LAYERS; i++) {
    const [rows, width] = [WIDTHS[i], WIDTHS[i + 1]];
    const draw = (name: string, rows: number, std: number) =>
      Float32Array.from(
        fixedNormals(`toy/neural/${DRAW}/${name}/${i}`, { rows, width }).flat(),
        (v) => v * std,
      );
    arrays[`weight/${i}`] = {
      shape: [rows, width],
      dtype: "float32",
      data: draw("weight", rows, WEIGHT_STD),
    };
    arrays[`bias/${i}`] = { shape: [width], dtype: "float32", data: draw("bias", 1, BIAS_STD) };
  }
  return arrays;
}

/** Draws observations x = f(z) + e with z ~ N(0, I), in float64. */
function observe(): number[][] {
  return fixedNormals(`toy/neural/${DRAW}/data`, { rows: POINTS, width: 4 }).map(
    ([z1, z2, e1, e2]) => {
      let h = [z1, z2];
      for (let i = 0; i < LAYERS; i++) {
        const { data: w, shape: [, width] } = parameters[`weight/${i}`];
        const next = Array.from(parameters[`bias/${i}`].data);
        h.forEach((v, row) => next.forEach((_, j) => next[j] += v * w[row * width + j]));
        h = i < LAYERS - 1 ? next.map((v) => Math.max(0, v)) : next;
      }
      return [h[0] + OBSERVATION_STD * e1, h[1] + OBSERVATION_STD * e2];
    },
  );
}
