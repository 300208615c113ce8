import * as tf from "@tensorflow/tfjs";
import type { Target } from "../../harness/core/toy_types.ts";
import { SINGLE_DENSITY } from "./single_density.ts";

/** Depth of the bend, and standard deviation about it. */
const [BEND, STD] = [0.25, 0.5];

/** A bent Gaussian: x ~ N(0, 1), y | x ~ N(0.25 (x^2 - 1), 0.5^2). */
export const banana: Target = {
  ...SINGLE_DENSITY,
  name: "banana",
  label: "Banana",
  source: "Haario, Saksman and Tamminen 1999, section 4: a Gaussian bent along its first axis",
  deviations: ["two dimensions, bend 0.25 and standard deviations 1 and 0.5, for a grid"],
  dim: 2,
  logDensity: (z) => {
    const [x, y] = tf.split(z, 2, 2);
    const away = tf.div(tf.sub(y, tf.mul(tf.sub(tf.square(x), 1), BEND)), STD);
    return tf.mul(tf.squeeze(tf.add(tf.square(x), tf.square(away)), [2]), -0.5) as tf.Tensor2D;
  },
  answer: { kind: "grid", extent: 8, cells: 400, shared: false },
  // More than the root mean square, 1.73: the curvature at |x| = 3 is three times that of the middle, where long steps stick.
  gradientScale: 2.4,
  stepSize: 0.01,
  length: { chains: 256, steps: 9_000, burnIn: 1_000, thin: 10 },
};
