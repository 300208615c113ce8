/**
 * The optimizers of the networks that are not sampled: `optimizer=adam`, of LEBM's code, and `optimizer=sgd`, plain
 * stochastic gradient descent, of LAE's code at NeurIPS 2022 and of its baselines.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { mapTree } from "../../harness/core/tree.ts";
import type { Tree } from "../../harness/core/types.ts";
import { adam, type AdamSlots, initAdam } from "./adam.ts";
import { checkPositive, choice } from "./checks.ts";

/** Values of the hyperparameter `optimizer`. */
const OPTIMIZERS = ["adam", "sgd"] as const;

/** Hyperparameters of the optimizer. */
export type OptimizerHyper = Readonly<{ optimizer: string; learningRate: number }>;

/** Slots of the optimizer between steps; empty with sgd. */
export type OptimizerState<P extends Tree> = { readonly adam?: AdamSlots<P> };

/** Minimizes a loss over parameters P by its gradients. */
export interface Optimizer<P extends Tree> {
  init(params: P): OptimizerState<P>;
  /** `params` and the slots after one step; `step` counts the steps before this one, int32. */
  descend(
    params: P,
    options: {
      readonly slots: OptimizerState<P>;
      readonly gradients: P;
      readonly step: tf.Scalar;
    },
  ): P & OptimizerState<P>;
}

/** The optimizer named by `hyper`. Throws RangeError for an unknown name. */
export function optimizerOf<P extends Tree>(
  { optimizer, learningRate }: OptimizerHyper,
): Optimizer<P> {
  checkPositive({ learningRate });
  if (choice("optimizer", optimizer, OPTIMIZERS) === "sgd") {
    return {
      init: () => ({}),
      descend: (params, { gradients }) =>
        mapTree(
          params,
          ([w, gradient], path) =>
            path === "logSigma"
              ? descendTau(w, { gradient, learningRate })
              : downhill(w, { gradient, learningRate }),
          gradients,
        ),
    };
  }
  return {
    init: (params) => ({ adam: initAdam(params) }),
    descend: (params, { slots, gradients, step }) => {
      if (slots.adam === undefined) throw new TypeError("The state has no slots of Adam");
      const next = adam({ params, slots: slots.adam }, { gradients, learningRate, step });
      return { ...next.params, adam: next.slots };
    },
  };
}

interface Move {
  readonly gradient: tf.Tensor;
  readonly learningRate: number | tf.Scalar;
}

/** w - learningRate gradient. */
export function downhill(w: tf.Tensor, { gradient, learningRate }: Move): tf.Tensor {
  return tf.sub(w, tf.mul(gradient, learningRate));
}

/**
 * log sigma after a descent step in tau, sigma = softplus(tau)^(-1/2), which LAE's NeurIPS code learns for all methods. With
 * p = sigma^-2: tau = p + log(1 - e^-p), and d log sigma / d tau = -(1 - e^-p) / (2 p).
 *
 * Deviation: With optimizer=sgd the logistic prior of tau in LAE's NeurIPS code is omitted from the baselines: its gradient is at most 1 / n
 */
function descendTau(logSigma: tf.Tensor, { gradient, learningRate }: Move): tf.Tensor {
  const p = tf.exp(tf.mul(logSigma, -2));
  const slope = tf.neg(tf.expm1(tf.neg(p))); // sigmoid(tau)
  const tau = tf.add(p, tf.log(slope));
  const ofTau = tf.mul(gradient, tf.mul(tf.div(slope, p), -0.5));
  const next = downhill(tau, { gradient: ofTau, learningRate });
  return tf.mul(tf.log(tf.softplus(next)), -0.5);
}

/** Deviations of the methods with a choice of optimizer. */
export const OPTIMIZER_DEVIATIONS: readonly string[] = [
  "With optimizer=sgd the logistic prior of tau in LAE's NeurIPS code is omitted from the baselines: its gradient is at most 1 / n",
];
