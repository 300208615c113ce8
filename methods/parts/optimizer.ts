/**
 * The optimizers of the networks that are not sampled: `optimizer=adam`, of LEBM's code, and `optimizer=sgd`, plain
 * stochastic gradient descent, of LAE's code at NeurIPS 2022 and of its baselines.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { State } from "../../harness/core/types.ts";
import { adam, type AdamOptions, initAdam } from "./adam.ts";
import { choice } from "./checks.ts";

/** Words for the hyperparameter `optimizer`. */
const OPTIMIZERS = ["adam", "sgd"] as const;

/** Hyperparameters of the optimizer. */
export type OptimizerHyper = Readonly<{ optimizer: string }>;

/** Throws RangeError for an optimizer that is none. */
export function checkOptimizer({ optimizer }: OptimizerHyper): void {
  choice("optimizer", optimizer, OPTIMIZERS);
}

/** What the optimizer keeps of `names` between steps: zeros. */
export function initOptimizer(
  state: State,
  names: readonly string[],
  { optimizer }: OptimizerHyper,
): State {
  return optimizer === "sgd" ? {} : initAdam(state, names);
}

/** `state` after one step down `gradients`, with what the optimizer keeps. */
export function descend(
  state: State,
  { optimizer, ...options }: AdamOptions & OptimizerHyper,
): State {
  if (optimizer !== "sgd") return adam(state, options);
  const { gradients, learningRate } = options;
  const next = Object.entries(gradients).map(([name, gradient]) => {
    const move = { gradient, learningRate };
    return [
      name,
      name === "logSigma" ? descendTau(state[name], move) : downhill(state[name], move),
    ] as const;
  });
  return { ...state, ...Object.fromEntries(next) };
}

interface Move {
  readonly gradient: tf.Tensor;
  readonly learningRate: number | tf.Scalar;
}

function downhill(w: tf.Tensor, { gradient, learningRate }: Move): tf.Tensor {
  return tf.sub(w, tf.mul(gradient, learningRate));
}

/**
 * log sigma after a step down in tau, sigma = softplus(tau)^(-1/2), which LAE's NeurIPS code learns for all methods. With
 * p = sigma^-2: tau = p + log(1 - e^-p), and d log sigma / d tau = -(1 - e^-p) / (2 p).
 *
 * Deviation: With optimizer=sgd the logistic prior of tau in LAE's NeurIPS code is left out of the baselines: its gradient is at most 1 / n
 */
function descendTau(logSigma: tf.Tensor, { gradient, learningRate }: Move): tf.Tensor {
  const p = tf.exp(tf.mul(logSigma, -2));
  const slope = tf.neg(tf.expm1(tf.neg(p))); // sigmoid(tau)
  const tau = tf.add(p, tf.log(slope));
  const ofTau = tf.mul(gradient, tf.mul(tf.div(slope, p), -0.5));
  const next = downhill(tau, { gradient: ofTau, learningRate });
  return tf.mul(tf.log(tf.softplus(next)), -0.5);
}

/** Deviations of the methods that have the choice of an optimizer. */
export const OPTIMIZER_DEVIATIONS: readonly string[] = [
  "With optimizer=sgd the logistic prior of tau in LAE's NeurIPS code is left out of the baselines: its gradient is at most 1 / n",
];
