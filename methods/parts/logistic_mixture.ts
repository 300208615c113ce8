/**
 * The increasing map x -> logit F(x) of the distribution function F of a mixture of logistics (Ho et al. 2019, section 3.2),
 * and its inverse.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { repeat } from "../../harness/core/repeat.ts";

/** Mixtures, one for each number: [..., components]. */
export interface LogisticMixture {
  /** Logs of the weights, up to a constant. */
  readonly logits: tf.Tensor;
  readonly means: tf.Tensor;
  readonly logScales: tf.Tensor;
}

/** log F and log (1 - F) at `x` [...], and what they are made of. */
function tails(x: tf.Tensor, { logits, means, logScales }: LogisticMixture) {
  const weights = tf.sub(logits, tf.logSumExp(logits, -1, true));
  const z = tf.mul(tf.sub(tf.expandDims(x, -1), means), tf.exp(tf.neg(logScales)));
  const sum = (terms: tf.Tensor) => tf.logSumExp(tf.add(weights, terms), -1);
  const [minus, plus] = [tf.softplus(tf.neg(z)), tf.softplus(z)];
  return {
    logBelow: sum(tf.neg(minus)),
    logAbove: sum(tf.neg(plus)),
    logDensity: () => sum(tf.neg(tf.add(tf.add(minus, plus), logScales))),
  };
}

/** logit F(x) for `x` [...], and the log of its slope. */
export function logisticMixture(
  x: tf.Tensor4D,
  mixture: LogisticMixture,
): { readonly value: tf.Tensor4D; readonly logSlope: tf.Tensor4D } {
  const { logBelow, logAbove, logDensity } = tails(x, mixture);
  return {
    value: tf.sub(logBelow, logAbove) as tf.Tensor4D,
    // d logit F / d F = 1 / (F (1 - F)).
    logSlope: tf.sub(logDensity(), tf.add(logBelow, logAbove)) as tf.Tensor4D,
  };
}

/** Halvings of the bracket: float32 has 24 bits, and values near 0 may need some more. */
const HALVINGS = 40;

/**
 * x with logit F(x) = `value` [...], by bisection. Each component alone would put it at mean + scale value, and the
 * mixture's x is between the least and the largest of these.
 */
export function logisticMixtureInverse(value: tf.Tensor4D, mixture: LogisticMixture): tf.Tensor4D {
  const { means, logScales } = mixture;
  const alone = tf.add(means, tf.mul(tf.exp(logScales), tf.expandDims(value, -1)));
  const { low, high } = repeat(
    HALVINGS,
    { low: tf.min(alone, -1), high: tf.max(alone, -1) },
    ({ low, high }) => {
      const middle = tf.mul(tf.add(low, high), 0.5);
      const { logBelow, logAbove } = tails(middle, mixture);
      const isAbove = tf.greater(tf.sub(logBelow, logAbove), value);
      return { low: tf.where(isAbove, low, middle), high: tf.where(isAbove, middle, high) };
    },
  );
  return tf.mul(tf.add(low, high), 0.5) as tf.Tensor4D;
}
