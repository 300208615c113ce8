/**
 * Tensors to host arrays and back: the border between the trees of models and the flat names of devices and fixtures.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { flatten } from "./tree.ts";
import type { HostArray, HostArrays, State, Tree } from "./types.ts";

/** A tensor that holds `array`. */
export function toTensor<T extends tf.Tensor = tf.Tensor>({ data, shape, dtype }: HostArray): T {
  return tf.tensor(data, [...shape], dtype) as T;
}

/** A tensor for each of `arrays`. */
export function toTensors(arrays: HostArrays): State {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => [name, toTensor(array)]),
  );
}

/** Copies of the tensors of `tree` under flat names. Throws TypeError for types other than float32 and int32. */
export function toArrays(tree: Tree): Record<string, HostArray> {
  return Object.fromEntries(
    Object.entries(flatten(tree)).map(([name, tensor]) => {
      const { shape, dtype } = tensor;
      if (dtype !== "float32" && dtype !== "int32") {
        throw new TypeError(`State "${name}" is ${dtype}, expected float32 or int32`);
      }
      const data = tensor.dataSync<"float32" | "int32">().slice();
      return [name, { shape, dtype, data }];
    }),
  );
}
