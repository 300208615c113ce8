/**
 * The optimizers of the networks that are not sampled: `optimizer=adam`, of LEBM's code, and `optimizer=sgd`, plain
 * stochastic gradient descent, of LAE's code at NeurIPS 2022 and of its baselines.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { State } from "../harness/types.ts";
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
  const next = Object.entries(gradients).map(([name, gradient]) =>
    [name, tf.sub(state[name], tf.mul(gradient, learningRate))] as const
  );
  return { ...state, ...Object.fromEntries(next) };
}
