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
import { replaceKernel } from "./replace_kernel.ts";

/** Attributes of pooling over an image or, with a third number each, a volume. */
type PoolAttrs = Omit<WindowAttrs, "strides"> & {
  readonly filterSize: number | [number, number] | [number, number, number];
  readonly strides: number | [number, number] | [number, number, number];
};

/** Pooling along one axis; an axis of images or channels has windows of one. */
interface PooledAxis {
  readonly size: number;
  readonly filter: number;
  readonly stride: number;
  readonly padding: readonly [before: number, after: number];
  readonly outSize: number;
}

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

/** The window's size over that of its part inside of the image, along the axis `k` of `rank`. */
function weights({ size, filter, stride, padding, outSize }: PooledAxis, k: number, rank: number) {
  const values = Array.from({ length: outSize }, (_, i) => {
    const start = i * stride - padding[0];
    return filter / (Math.min(start + filter, size) - Math.max(start, 0));
  });
  return tf.tensor(values, Array.from({ length: rank }, (_, axis) => axis === k ? outSize : 1));
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
  const { top, bottom, left, right } = info.padInfo;
  return [
    wholeAxis(shape[0]),
    {
      size: info.inHeight,
      filter: info.filterHeight,
      stride: info.strideHeight,
      padding: [top, bottom],
      outSize: info.outHeight,
    },
    {
      size: info.inWidth,
      filter: info.filterWidth,
      stride: info.strideWidth,
      padding: [left, right],
      outSize: info.outWidth,
    },
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
  const { front, back, top, bottom, left, right } = info.padInfo;
  return [
    wholeAxis(shape[0]),
    {
      size: info.inDepth,
      filter: info.filterDepth,
      stride: info.strideDepth,
      padding: [front, back],
      outSize: info.outDepth,
    },
    {
      size: info.inHeight,
      filter: info.filterHeight,
      stride: info.strideHeight,
      padding: [top, bottom],
      outSize: info.outHeight,
    },
    {
      size: info.inWidth,
      filter: info.filterWidth,
      stride: info.strideWidth,
      padding: [left, right],
      outSize: info.outWidth,
    },
    wholeAxis(shape[4]),
  ];
}
