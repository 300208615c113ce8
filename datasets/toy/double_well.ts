import * as tf from "@tensorflow/tfjs";
import type { Target } from "../../harness/core/toy_types.ts";
import { SINGLE_DENSITY } from "./single_density.ts";

/** Barrier between the wells in nats, and the tilt that makes the right one heavier. */
const [BARRIER, TILT] = [3, 0.4];
/** The wells are near x = 1.5 and -1.5. */
const WELL = 1.5;
/** y follows x with this slope and standard deviation. */
const [SLOPE, STD] = [0.5, 0.6];

/** Two wells of unequal weight: U = 3 ((x / 1.5)^2 - 1)^2 - 0.4 x + (y - x / 2)^2 / (2 0.6^2). */
export const doubleWell: Target = {
  ...SINGLE_DENSITY,
  name: "double_well",
  label: "Double well",
  source:
    "the quartic double well, as in Roberts and Tweedie 1996, tilted, with a second coordinate",
  deviations: [],
  dim: 2,
  logDensity: (z) => {
    const [x, y] = tf.split(z, 2, 2);
    const well = tf.sub(
      tf.mul(tf.square(tf.sub(tf.square(tf.div(x, WELL)), 1)), BARRIER),
      tf.mul(x, TILT),
    );
    const away = tf.div(tf.sub(y, tf.mul(x, SLOPE)), STD);
    return tf.neg(tf.squeeze(tf.add(well, tf.mul(tf.square(away), 0.5)), [2])) as tf.Tensor2D;
  },
  answer: { kind: "grid", extent: 4, cells: 320, shared: false },
  gradientScale: 2.53,
  stepSize: 0.02,
  length: { chains: 256, steps: 9_000, burnIn: 1_000, thin: 10 },
};
