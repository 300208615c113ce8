import * as tf from "@tensorflow/tfjs";
import type { Target } from "../../harness/core/toy_types.ts";
import { SINGLE_DENSITY } from "./single_density.ts";

const DIM = 10;
/** Standard deviation of v = z_0, the log variance of the other coordinates. */
const STD = 3;

/** Neal's funnel: v ~ N(0, 3^2) and x_1 ... x_9 ~ N(0, e^v). The widths of neck and mouth differ by a factor of thousands. */
export const funnel: Target = {
  ...SINGLE_DENSITY,
  name: "funnel",
  label: "Neal's funnel",
  source: "Neal 2003, section 8: v ~ N(0, 9), nine x ~ N(0, e^v)",
  deviations: [],
  dim: DIM,
  logDensity: (z) => {
    const [v, x] = tf.split(z, [1, DIM - 1], 2);
    const own = tf.add(tf.square(tf.div(v, STD)), tf.mul(v, DIM - 1));
    const others = tf.mul(tf.sum(tf.square(x), 2, true), tf.exp(tf.neg(v)));
    return tf.mul(tf.squeeze(tf.add(own, others), [2]), -0.5) as tf.Tensor2D;
  },
  answer: {
    kind: "transport",
    draw: ([v, ...x]) => [STD * v, ...x.map((xi) => Math.exp(STD * v / 2) * xi)],
    whiten: ([v, ...x]) => [v / STD, ...x.map((xi) => Math.exp(-v / 2) * xi)],
    energy: DIM / 2, // v has mean 0, so that the log determinant adds nothing
    mean: Array<number>(DIM).fill(0),
    covariance: Array.from(
      { length: DIM },
      (_, i) =>
        Array.from(
          { length: DIM },
          (_, j) => i !== j ? 0 : i === 0 ? STD ** 2 : Math.exp(STD ** 2 / 2),
        ), // E e^v of the others
    ),
  },
  ungated: () =>
    "steps short enough for the neck do not cross the mouth in a run of this length: single moves are held to their distribution",
  gradientScale: 9,
  stepSize: 0.002,
  length: { chains: 64, steps: 9_000, burnIn: 1_000, thin: 20 },
};
