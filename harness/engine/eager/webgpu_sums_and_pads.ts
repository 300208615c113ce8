/**
 * Kernels of TensorFlow.js's WebGPU backend that are wrong without a word: AddN of eight tensors or more, and PadV2 of more
 * than four axes, which is also the gradient of a slice.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { replaceKernel } from "./replace_kernel.ts";

/** Replaces AddN by sums of two. */
export function supplySums(backendName: string): void {
  replaceKernel(
    "AddN",
    backendName,
    (tensors) => Object.values(tensors).reduce((a, b) => tf.add(a, b)),
  );
}

/** Largest number of axes that the backend pads right. */
const PADDED_AXES = 4;

/** Replaces PadV2 of more than four axes: pads one axis after the other, of [axes before, axis, axes behind]. */
export function supplyPads(backendName: string): void {
  replaceKernel(
    "PadV2",
    backendName,
    ({ x }, { paddings, constantValue }: {
      readonly paddings: readonly (readonly [number, number])[];
      readonly constantValue: number;
    }) => {
      if (x.rank <= PADDED_AXES) return undefined;
      const shape = [...x.shape];
      let padded = x;
      for (const [axis, [before, behind]] of paddings.entries()) {
        if (before === 0 && behind === 0) continue;
        const open = tf.reshape(padded, [product(shape.slice(0, axis)), shape[axis], -1]);
        const pads: [number, number][] = [[0, 0], [before, behind], [0, 0]];
        padded = tf.pad(open, pads, constantValue);
        shape[axis] += before + behind;
      }
      return tf.reshape(padded, shape);
    },
  );
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}
