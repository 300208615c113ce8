/**
 * Pooling and resizing of images in terms of the graph's primitives. Factors that would need interpolation are refused by name.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type ResizeAttrs, upsamplingFactors } from "../../core/upsampling_gradient.ts";
import type { Builder } from "./builder.ts";
import { checkGradientShape, listedPadding, type WindowAttrs } from "./convolution_window.ts";
import type { Value, Window } from "./graph.ts";
import { planeAxes, windowExcess } from "./pooled_axis.ts";
import type { Call, Kernel } from "./kernel_call.ts";

/** Kernels by name. */
export const IMAGE_KERNELS: Readonly<Record<string, Kernel>> = {
  AvgPool: ({ b, inputs: { x }, attrs }) => {
    const pool = poolOf(x.shape, attrs);
    const [n, h, w, c] = pool.shape;
    const [height, width] = pool.filter;
    if (isTiled(pool, x.shape)) {
      return b.reduce("mean", b.reshape(x, [n, h, height, w, width, c]), [2, 4]);
    }
    const { window } = pool;
    const sums = b.conv(asPlanes(b, x), weights(b, pool), { window, shape: [n * c, h, w, 1] });
    return fromPlanes(b, overParts(b, sums, pool), n);
  },
  AvgPoolGrad: ({ b, inputs: { dy, input }, attrs }) => {
    const pool = poolOf(input.shape, attrs);
    const [n, h, w, c] = pool.shape;
    const [height, width] = pool.filter;
    checkGradientShape(dy.shape, pool.shape);
    if (isTiled(pool, input.shape)) {
      const share = b.binary("mul", dy, b.constant([pool.weight], [], "float32"));
      const tiles = b.broadcast(b.reshape(share, [n, h, 1, w, 1, c]), [n, h, height, w, width, c]);
      return b.reshape(tiles, input.shape);
    }
    const planes = overParts(b, asPlanes(b, dy), pool);
    const shape = [n * c, input.shape[1], input.shape[2], 1];
    const { window } = pool;
    return fromPlanes(b, b.convInputGradient(planes, weights(b, pool), { window, shape }), n);
  },
  ResizeNearestNeighbor: ({ b, inputs: { images }, attrs }) => {
    const [n, h, w, c] = images.shape;
    const [rows, columns] = upsamplingFactors(images.shape, attrs as unknown as ResizeAttrs);
    const open = b.reshape(images, [n, h, 1, w, 1, c]);
    const tiles = b.broadcast(open, [n, h, rows, w, columns, c]);
    return b.reshape(tiles, [n, h * rows, w * columns, c]);
  },
};

/** An average over the parts of windows inside of an image. */
interface Pool {
  readonly filter: readonly [height: number, width: number];
  readonly window: Window;
  /** Shape of the result [n, h, w, c]. */
  readonly shape: readonly number[];
  /** Weight of an element of a whole window, 1 / (height width). */
  readonly weight: number;
  /** `windowExcess` of each row and each column of the result. */
  readonly excess: readonly [rows: readonly number[], columns: readonly number[]];
}

function poolOf(x: readonly number[], attrs: Call["attrs"]): Pool {
  const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as WindowAttrs & {
    readonly filterSize: [number, number] | number;
  };
  const info = tf.backend_util.computePool2DInfo(
    x as [number, number, number, number],
    filterSize,
    strides,
    1,
    listedPadding(pad),
    dimRoundingMode,
  );
  const { top, left, bottom, right } = info.padInfo;
  const { filterHeight, filterWidth, strideHeight, strideWidth } = info;
  const [rows, columns] = planeAxes(info).map(windowExcess);
  return {
    filter: [filterHeight, filterWidth],
    window: {
      strides: [strideHeight, strideWidth],
      pads: [top, left, bottom, right],
      dilations: [1, 1],
    },
    shape: info.outShape,
    weight: 1 / (filterHeight * filterWidth),
    excess: [rows, columns],
  };
}

/** Averages over whole windows [n c, h, w, 1], zeros outside of the image, as averages over their parts inside. */
function overParts(b: Builder, planes: Value, { excess: [rows, columns] }: Pool): Value {
  const factors = rows.flatMap((row) => columns.map((column) => Math.fround(row * column)));
  const shape = [1, rows.length, columns.length, 1];
  return b.binary("mul", planes, b.constant(factors, shape, planes.type));
}

/** Whether the windows tile the image `x`. */
function isTiled({ filter, window, shape }: Pool, x: readonly number[]): boolean {
  return window.pads.every((pad) => pad === 0) &&
    [0, 1].every((i) => filter[i] === window.strides[i] && shape[i + 1] * filter[i] === x[i + 1]);
}

/** A constant filter [height, width, 1, 1]. */
function weights(b: Builder, { filter, weight }: Pool): Value {
  return b.constant([Math.fround(weight)], [...filter, 1, 1], "float32");
}

/** The channels of [n, h, w, c] as images of one channel, [n c, h, w, 1]. */
function asPlanes(b: Builder, x: Value): Value {
  const [n, h, w, c] = x.shape;
  return b.reshape(b.transpose(x, [0, 3, 1, 2]), [n * c, h, w, 1]);
}

/** Undoes `asPlanes` for `n` images. */
function fromPlanes(b: Builder, planes: Value, n: number): Value {
  const [count, h, w] = planes.shape;
  return b.transpose(b.reshape(planes, [n, count / n, h, w]), [0, 2, 3, 1]);
}
