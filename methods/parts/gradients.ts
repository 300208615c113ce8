import * as tf from "@tensorflow/tfjs";
import type { State } from "../../harness/core/types.ts";

/** A loss and further scalars to record. */
export type Parts = Readonly<Record<string, tf.Scalar>> & { readonly loss: tf.Scalar };

/** The parts of a loss at `params`, and the gradient of `loss` for each of `params`. */
export function lossAndGradients<P extends Parts>(
  f: (params: State) => P,
  params: State,
): { readonly parts: P; readonly gradients: State } {
  const names = Object.keys(params);
  // tfjs returns the loss alone and disposes of the rest: what else is to be recorded is kept past the tape.
  const kept: Record<string, tf.Tensor> = {};
  const run = tf.valueAndGrads((...values: tf.Tensor[]) => {
    const { loss, ...others } = f(Object.fromEntries(names.map((name, i) => [name, values[i]])));
    for (const [name, part] of Object.entries(others)) kept[name] = tf.keep(part);
    return loss;
  });
  const { value, grads } = run(names.map((name) => params[name]));
  const others = Object.entries(kept).map(([name, part]) => {
    const tracked = tf.clone(part);
    part.dispose();
    return [name, tracked] as const;
  });
  return {
    parts: { loss: value, ...Object.fromEntries(others) } as unknown as P,
    gradients: Object.fromEntries(names.map((name, i) => [name, grads[i]])),
  };
}
