import * as tf from "@tensorflow/tfjs";
import type { State } from "./types.ts";

/** One iteration: maps carried tensors and the slices of this iteration to carried tensors of the same names and types. */
export type Body<S extends State, E extends State> = (state: S, each: E) => S;

/** A tfjs backend that writes a loop into its graph instead of running it. */
export interface LoopBackend {
  repeat<S extends State, E extends State>(count: number, state: S, body: Body<S, E>, each: E): S;
}

/**
 * Applies `body` to `state` `count` times: as one loop in the graph of a compiled step, as a plain loop otherwise.
 *
 * `each` has tensors [count, ...]; iteration i gets their i-th slices, without the first axis. Draw noise for the
 * iterations before the loop, [count, ...], and pass it in `each`. `tf.grad` works inside the body. Throws RangeError if
 * a tensor of `each` has another first axis, and Error when differentiated.
 *
 * ```ts
 * const { z } = repeat(K, { z: z0 }, ({ z }, { xi }) => ({ z: langevin(z, xi) }), { xi: noise.normal([K, m, d]) });
 * ```
 */
export function repeat<S extends State, E extends State>(
  count: number,
  state: S,
  body: Body<S, E>,
  each: E = {} as E,
): S {
  for (const [name, tensor] of Object.entries(each)) {
    if (tensor.shape[0] !== count) {
      throw new RangeError(
        `repeat: the first axis of "${name}" must be ${count}, got shape [${tensor.shape}]`,
      );
    }
  }
  if ((tf.engine() as unknown as { state: { gradientDepth: number } }).state.gradientDepth > 0) {
    throw new Error(
      "repeat() was called inside tf.grad, but gradients do not pass through a loop: call it before tf.grad, or unroll it",
    );
  }
  if (count === 0) return state;
  const backend = tf.engine().backend as unknown as Partial<LoopBackend>;
  if (backend.repeat) return backend.repeat(count, state, body, each);
  return tf.tidy(() => {
    let current = state;
    for (let i = 0; i < count; i++) {
      const next = tf.tidy(() =>
        body(
          current,
          Object.fromEntries(
            Object.entries(each).map(([name, t]) => {
              const begin = [i, ...t.shape.slice(1).map(() => 0)];
              return [
                name,
                tf.reshape(tf.slice(t, begin, [1, ...t.shape.slice(1)]), t.shape.slice(1)),
              ];
            }),
          ) as unknown as E,
        ) as unknown as tf.TensorContainerObject
      ) as unknown as S;
      if (i > 0) tf.dispose(Object.values(current).filter((t) => !Object.values(next).includes(t)));
      current = next;
    }
    return current as unknown as tf.TensorContainerObject;
  }) as unknown as S;
}
