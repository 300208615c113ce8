import * as tf from "@tensorflow/tfjs";
import type { Problem } from "../../harness/core/types.ts";

/** decay^epoch for the epoch of `step`, which counts from 0: a factor of learning rates. */
export function decayAt(
  step: tf.Scalar,
  { problem, decay }: { readonly problem: Problem; readonly decay: number },
): tf.Scalar {
  const perEpoch = Math.max(1, Math.floor(problem.trainCount / problem.batchSize));
  const epoch = tf.cast(tf.div(tf.cast(step, "float32"), perEpoch), "int32");
  return tf.exp(tf.mul(tf.cast(epoch, "float32"), Math.log(decay)));
}
