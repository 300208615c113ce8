/**
 * The gradient of nearest upsampling in basic operations. Importing the module registers it in place of the kernel of tfjs
 * 4.22, which on its backend `cpu` is wrong for more than one image and has no gradient itself.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Attributes of ResizeNearestNeighbor. */
export interface ResizeAttrs {
  readonly size: readonly [number, number];
  readonly alignCorners?: boolean;
}

/** How often each row and column of images [n, h, w, c] is repeated. Throws RangeError for parts of rows or columns. */
export function upsamplingFactors(
  [, h, w]: readonly number[],
  { size, alignCorners }: ResizeAttrs,
): [number, number] {
  const [rows, columns] = [size[0] / h, size[1] / w];
  if (!Number.isInteger(rows) || !Number.isInteger(columns) || alignCorners) {
    throw new RangeError(
      `tf.image.resizeNearestNeighbor needs whole factors without alignCorners, got ${h}x${w} to ${
        size.join("x")
      }${alignCorners ? " with alignCorners" : ""}`,
    );
  }
  return [rows, columns];
}

tf.registerGradient({
  kernelName: "ResizeNearestNeighbor",
  inputsToSave: ["images"],
  gradFunc: (dy, [images], attrs) => ({
    images: () => {
      const [n, h, w, c] = images.shape;
      const [rows, columns] = upsamplingFactors(images.shape, attrs as unknown as ResizeAttrs);
      const lines = tf.sum(tf.reshape(dy as tf.Tensor, [n * h, rows, w * columns * c]), 1);
      return tf.reshape(tf.sum(tf.reshape(lines, [n * h * w, columns, c]), 1), [n, h, w, c]);
    },
  }),
});
