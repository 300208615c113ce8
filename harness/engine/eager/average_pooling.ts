/**
 * The gradient of average pooling with padding. The mean that tfjs takes is over the part of a window inside of the image, but its
 * gradient divides by the size of the whole window, on its backends `cpu` and `webgpu`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import {
  checkGradientShape,
  listedPadding,
  type WindowAttrs,
} from "../graph/convolution_window.ts";
import { planeAxes, type PooledAxis, windowExcess } from "../graph/pooled_axis.ts";
import { replaceKernel } from "./replace_kernel.ts";

/** Attributes of pooling over an image or, with a third number each, a volume. */
type PoolAttrs = Omit<WindowAttrs, "strides"> & {
  readonly filterSize: number | [number, number] | [number, number, number];
  readonly strides: number | [number, number] | [number, number, number];
};

/**
 * Replaces the gradients of average pooling on `backendName`: those of the pooling without padding of a padded image, each output
 * weighted by the whole window over its part inside of the image.
 */
export function supplyPoolingGradients(backendName: string): void {
  for (
    const [kernel, axesOf] of [["AvgPoolGrad", imageAxes], ["AvgPool3DGrad", volumeAxes]] as const
  ) {
    replaceKernel<PoolAttrs>(kernel, backendName, ({ dy, input }, attrs) => {
      if (attrs.pad === "valid") return undefined;
      const axes = axesOf(input.shape, attrs);
      checkGradientShape(dy.shape, axes.map(({ outSize }) => outSize));
      const weighted = axes.reduce((dy, axis, k) => tf.mul(dy, weights(axis, k, axes.length)), dy);
      const inputs = {
        dy: weighted,
        input: tf.pad(input, axes.map(({ padding }) => [...padding])),
      };
      const unpadded = { ...attrs, pad: "valid" } as unknown as tf.NamedAttrMap;
      const gradient = tf.engine().runKernel(kernel, inputs, unpadded) as tf.Tensor;
      return tf.slice(gradient, axes.map(({ padding }) => padding[0]), input.shape);
    });
  }
}

/** `windowExcess` along the axis `k` of `rank`. */
function weights(axis: PooledAxis, k: number, rank: number): tf.Tensor {
  return tf.tensor(
    windowExcess(axis),
    Array.from({ length: rank }, (_, i) => i === k ? axis.outSize : 1),
  );
}

/** An axis along which nothing is pooled. */
function wholeAxis(size: number): PooledAxis {
  return { size, filter: 1, stride: 1, padding: [0, 0], outSize: size };
}

function imageAxes(
  shape: readonly number[],
  { filterSize, strides, pad }: PoolAttrs,
): PooledAxis[] {
  const info = tf.backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    filterSize as [number, number],
    strides as [number, number],
    1,
    listedPadding(pad),
  );
  return [
    wholeAxis(shape[0]),
    ...planeAxes(info),
    wholeAxis(shape[3]),
  ];
}

function volumeAxes(
  shape: readonly number[],
  { filterSize, strides, pad }: PoolAttrs,
): PooledAxis[] {
  const info = tf.backend_util.computePool3DInfo(
    shape as [number, number, number, number, number],
    filterSize as [number, number, number],
    strides as [number, number, number],
    1,
    pad as "same" | number,
  );
  const { front, back } = info.padInfo;
  return [
    wholeAxis(shape[0]),
    {
      size: info.inDepth,
      filter: info.filterDepth,
      stride: info.strideDepth,
      padding: [front, back],
      outSize: info.outDepth,
    },
    ...planeAxes(info),
    wholeAxis(shape[4]),
  ];
}
