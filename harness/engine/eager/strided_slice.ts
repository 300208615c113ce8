import * as tf from "@tensorflow/tfjs";
import { replaceKernel } from "./replace_kernel.ts";

/** Attributes of StridedSlice; the masks are bits by axis. */
interface Attributes {
  readonly begin: number[];
  readonly end: number[];
  readonly strides: number[];
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
}

/**
 * Slices with strides first and drops or adds axes afterwards. The kernel of tfjs 4.22 starts at 0 along an axis that it
 * drops: of x [5, 6], tf.stridedSlice(x, [0, 4], [5, 5], [2, 1], 0, 0, 0, 0, 2) gives column 0.
 */
export function supplyStridedSlice(backendName: string): void {
  replaceKernel<Attributes>("StridedSlice", backendName, ({ x }, attrs) => {
    const { ellipsisMask, newAxisMask, shrinkAxisMask } = attrs;
    if (!(newAxisMask || shrinkAxisMask)) return undefined;
    const { begin, end, strides, finalShape } = tf.slice_util.sliceInfo(
      x.shape,
      attrs.begin,
      attrs.end,
      attrs.strides,
      attrs.beginMask,
      attrs.endMask,
      ellipsisMask,
      newAxisMask,
      shrinkAxisMask,
    );
    if (strides.some((s) => s < 1)) {
      throw new RangeError(`Strides of a slice that drops an axis must be >= 1, got [${strides}]`);
    }
    return tf.reshape(tf.stridedSlice(x, begin, end, strides), finalShape);
  });
}
