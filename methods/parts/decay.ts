import * as tf from "@tensorflow/tfjs";
import type { Problem } from "../../harness/core/types.ts";

/** decay^epoch at a global step from 0, where an epoch has as many steps as `problem` has whole batches. */
export function epochDecay(
  { trainCount, batchSize }: Pick<Problem, "trainCount" | "batchSize">,
  decay: number,
): (step: tf.Scalar) => tf.Scalar {
  const perEpoch = Math.max(1, Math.floor(trainCount / batchSize));
  return (step) => {
    const epoch = tf.cast(tf.div(tf.cast(step, "float32"), perEpoch), "int32");
    return tf.exp(tf.mul(tf.cast(epoch, "float32"), Math.log(decay)));
  };
}
