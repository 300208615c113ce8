/** Windows and shapes of tfjs convolutions. @module */
import * as tf from "@tensorflow/tfjs";
import { sameShape, type Window } from "./graph.ts";

/** Zero padding of each axis of an image [n, h, w, c]. */
export type Paddings = [[number, number], [number, number], [number, number], [number, number]];

/** Attributes of the convolution and pooling kernels of tfjs. */
export interface WindowAttrs {
  readonly strides: [number, number] | number;
  readonly pad: "same" | "valid" | number | Paddings;
  readonly dilations?: [number, number] | number;
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
  readonly dataFormat?: string;
}

/**
 * The window of a convolution of `x` [n, h, w, in] with a filter [h, w, in, out], and the shape of its result. Throws
 * RangeError for another data format and for grouped convolutions.
 */
export function convolutionWindow(
  x: readonly number[],
  filter: readonly number[],
  attrs: WindowAttrs,
): { readonly window: Window; readonly outShape: readonly number[] } {
  if (attrs.dataFormat && attrs.dataFormat !== "NHWC") {
    throw new RangeError(
      `Compiled convolutions must have data format NHWC, got ${attrs.dataFormat}`,
    );
  }
  const info = tf.backend_util.computeConv2DInfo(
    x as [number, number, number, number],
    filter as [number, number, number, number],
    attrs.strides,
    attrs.dilations ?? 1,
    listedPadding(attrs.pad),
    attrs.dimRoundingMode,
  );
  if (info.inChannels !== filter[2]) {
    throw new RangeError(
      `Grouped convolutions are not compiled: input has ${info.inChannels} channels, filter ${
        filter[2]
      }`,
    );
  }
  const { top, left, bottom, right } = info.padInfo;
  const window: Window = {
    strides: [info.strideHeight, info.strideWidth],
    pads: [top, left, bottom, right],
    dilations: [info.dilationHeight, info.dilationWidth],
  };
  return { window, outShape: info.outShape };
}

/**
 * `pad` with a number as a list. Given a number, tfjs 4.22 computes the width of the result from the height of the filter
 * and the vertical stride; given a list, it computes both axes alike.
 */
export function listedPadding(pad: WindowAttrs["pad"]): Exclude<WindowAttrs["pad"], number> {
  return typeof pad === "number" ? [[0, 0], [pad, pad], [pad, pad], [0, 0]] : pad;
}

/**
 * Throws RangeError if the gradient `dy` does not have the shape `result` of its convolution. The gradients of tfjs forget
 * the rounding mode, so that a result rounded up meets gradients for a smaller one.
 */
export function checkGradientShape(dy: readonly number[], result: readonly number[]): void {
  if (sameShape(dy, result)) return;
  throw new RangeError(
    `The gradient of a convolution must have shape [${result}], got [${dy}]: use dimRoundingMode "floor", the only one with gradients`,
  );
}
