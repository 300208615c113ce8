import * as tf from "@tensorflow/tfjs";
import { replaceKernel } from "./replace_kernel.ts";

/**
 * Largest |x| for which log1p uses the series. There |s| = |x / (2 + x)| <= 1/5, and the first omitted term is
 * 2 s^13 / 13 < 2e-10.
 */
const SERIES_LIMIT = 1 / 3;
const SERIES_TERMS = 6;

/**
 * Replaces Log1p of WebGPU, whose shader computes log(1 + x) with a relative error of 3e-4 at x = 1e-4; WGSL allows log
 * an absolute error of 2^-21 near 1. The replacement uses log1p(x) = 2 artanh(s) = 2 (s + s^3 / 3 + s^5 / 5 + ...) for
 * small x.
 */
export function supplyLog1p(backendName: string): void {
  replaceKernel("Log1p", backendName, ({ x }) => {
    const s = tf.div(x, tf.add(x, 2));
    const square = tf.square(s);
    let sum: tf.Tensor = tf.fill(x.shape, 1 / (2 * SERIES_TERMS - 1));
    for (let k = SERIES_TERMS - 2; k >= 0; k--) {
      sum = tf.add(tf.mul(sum, square), 1 / (2 * k + 1));
    }
    const series = tf.mul(tf.mul(s, 2), sum);
    return tf.where(tf.less(tf.abs(x), SERIES_LIMIT), series, tf.log(tf.add(x, 1)));
  });
}
