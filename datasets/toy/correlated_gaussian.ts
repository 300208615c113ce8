import * as tf from "@tensorflow/tfjs";
import type { GaussianTarget } from "../../harness/core/toy_types.ts";
import { SINGLE_DENSITY } from "./single_density.ts";

const DIM = 50;
/** Correlation of neighbours: variances along the axes are 0.18 to 5.6. */
const CORRELATION = 0.7;
const INNOVATION = 1 - CORRELATION ** 2;

const covariance = Array.from(
  { length: DIM },
  (_, i) => Array.from({ length: DIM }, (_, j) => CORRELATION ** Math.abs(i - j)),
);
/** The inverse of an autoregression's covariance is tridiagonal. */
const precision = covariance.map((row, i) =>
  row.map((_, j) => {
    if (Math.abs(i - j) > 1) return 0;
    if (i !== j) return -CORRELATION / INNOVATION;
    return (i === 0 || i === DIM - 1 ? 1 : 1 + CORRELATION ** 2) / INNOVATION;
  })
);

/** A stationary autoregression of 50 steps with unit variances: what isotropic metrics miss in many dimensions. */
export const correlatedGaussian: GaussianTarget = {
  ...SINGLE_DENSITY,
  name: "correlated_50",
  label: "Correlated Gaussian, 50 dimensions",
  source: "a first-order autoregression, S_ij = 0.7^|i - j|; Box and Jenkins, section 3.2",
  deviations: [],
  dim: DIM,
  parameters: {
    precision: { shape: [DIM, DIM], dtype: "float32", data: Float32Array.from(precision.flat()) },
  },
  logDensity: (z, { precision }) => {
    const scaled = tf.matMul(tf.reshape(z, [-1, DIM]), precision as tf.Tensor2D);
    return tf.mul(tf.sum(tf.mul(z, tf.reshape(scaled, z.shape)), 2), -0.5) as tf.Tensor2D;
  },
  answer: { kind: "gaussian", means: [Array<number>(DIM).fill(0)], covariance },
  gradientScale: Math.sqrt((1 + CORRELATION ** 2) / INNOVATION),
  stepSize: 0.02,
  length: { chains: 64, steps: 9_000, burnIn: 1_000, thin: 20 },
};
