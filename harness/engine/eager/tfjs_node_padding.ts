/**
 * Explicit padding for the convolutions of tfjs-node. Forward, its backend accepts a list but not a number; backward, it
 * accepts neither ("TF Backend supports only 'valid' and 'same' padding"). The gradients therefore become those of a
 * valid convolution of a padded image.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { replaceKernel } from "./replace_kernel.ts";

type Shape4 = [number, number, number, number];
type Paddings = [[number, number], [number, number], [number, number], [number, number]];

/** Attributes of the convolution kernels. */
interface Attributes {
  readonly strides: number | [number, number];
  readonly pad: "same" | "valid" | number | Paddings;
  readonly dimRoundingMode?: "floor";
}

/** Makes convolutions of `backendName` and their gradients accept any padding. */
export function supplyPadding(backendName: string): void {
  replaceKernel<Attributes>("Conv2D", backendName, ({ x, filter }, attrs) => {
    if (typeof attrs.pad !== "number") return undefined;
    const pad = explicitPadding(x.shape as Shape4, filter.shape as Shape4, attrs);
    return run("Conv2D", { x, filter }, { ...attrs, pad });
  });
  replaceKernel<Attributes & { readonly inputShape: Shape4 }>(
    "Conv2DBackpropInput",
    backendName,
    ({ dy, filter }, attrs) => {
      const padding = explicitPadding(attrs.inputShape, filter.shape as Shape4, attrs);
      if (!padding) return undefined;
      const inputShape = attrs.inputShape.map((size, i) => size + padding[i][0] + padding[i][1]);
      const padded = run("Conv2DBackpropInput", { dy, filter }, {
        ...attrs,
        pad: "valid",
        inputShape,
      });
      return tf.slice(padded, padding.map(([before]) => before), attrs.inputShape);
    },
  );
  replaceKernel<Attributes & { readonly filterShape: Shape4 }>(
    "Conv2DBackpropFilter",
    backendName,
    ({ x, dy }, attrs) => {
      const padding = explicitPadding(x.shape as Shape4, attrs.filterShape, attrs);
      return padding &&
        run("Conv2DBackpropFilter", { x: tf.pad(x, padding), dy }, { ...attrs, pad: "valid" });
    },
  );
}

function run(kernel: string, inputs: tf.NamedTensorMap, attrs: object): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, attrs as tf.NamedAttrMap) as tf.Tensor;
}

/** Zero padding of an image of shape `x` [n, h, w, c]; undefined for the named paddings "same" and "valid". */
function explicitPadding(x: Shape4, filter: Shape4, attrs: Attributes): Paddings | undefined {
  const { strides, pad, dimRoundingMode } = attrs;
  if (pad === "same" || pad === "valid") return undefined;
  const { top, bottom, left, right } =
    tf.backend_util.computeConv2DInfo(x, filter, strides, 1, pad, dimRoundingMode).padInfo;
  return [[0, 0], [top, bottom], [left, right], [0, 0]];
}
