import * as tf from "@tensorflow/tfjs";
import type { Target } from "../../harness/core/toy_types.ts";
import { SINGLE_DENSITY } from "./single_density.ts";

const [RADIUS, STD] = [3, 0.4];
/** Keeps the gradient of the radius finite at the centre, where the density is e^-28 of its top. */
const TINY = 1e-6;

/** A ring, along which nothing pulls: U = (|z| - 3)^2 / (2 0.4^2). */
export const ring: Target = {
  ...SINGLE_DENSITY,
  name: "ring",
  label: "Ring",
  source: "the ring of Rezende and Mohamed 2015, Table 1, without its modes",
  deviations: ["radius 3 and standard deviation 0.4"],
  dim: 2,
  logDensity: (z) => {
    const radius = tf.sqrt(tf.add(tf.sum(tf.square(z), 2), TINY));
    return tf.mul(tf.square(tf.div(tf.sub(radius, RADIUS), STD)), -0.5) as tf.Tensor2D;
  },
  answer: { kind: "grid", extent: 6.4, cells: 320, shared: false },
  gradientScale: 1 / STD / Math.SQRT2,
  stepSize: 0.02,
  length: { chains: 256, steps: 9_000, burnIn: 1_000, thin: 10 },
};
