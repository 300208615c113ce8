/**
 * Explicit padding for the convolutions of tfjs-node. Forward, its backend accepts a list but not a number; backward, it
 * accepts neither ("TF Backend supports only 'valid' and 'same' padding"). The gradients therefore become those of a
 * valid convolution of a padded image.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { listedPadding, type Paddings, type WindowAttrs } from "../graph/convolution_window.ts";
import { replaceKernel } from "./replace_kernel.ts";

type Shape4 = [number, number, number, number];

/** Makes convolutions of `backendName` and their gradients accept any padding. */
export function supplyPadding(backendName: string): void {
  replaceKernel<WindowAttrs>("Conv2D", backendName, ({ x, filter }, attrs) => {
    if (typeof attrs.pad !== "number") return undefined;
    return run("Conv2D", { x, filter }, { ...attrs, pad: listedPadding(attrs.pad) });
  });
  replaceKernel<WindowAttrs & { readonly inputShape: Shape4 }>(
    "Conv2DBackpropInput",
    backendName,
    ({ dy, filter }, attrs) => {
      const padding = explicitPadding(attrs);
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
  replaceKernel<WindowAttrs & { readonly filterShape: Shape4 }>(
    "Conv2DBackpropFilter",
    backendName,
    ({ x, dy }, attrs) => {
      const padding = explicitPadding(attrs);
      return padding &&
        run("Conv2DBackpropFilter", { x: tf.pad(x, padding), dy }, { ...attrs, pad: "valid" });
    },
  );
}

function run(kernel: string, inputs: tf.NamedTensorMap, attrs: object): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, attrs as tf.NamedAttrMap) as tf.Tensor;
}

/** Zero padding as a list; undefined for the named paddings "same" and "valid". */
function explicitPadding({ pad }: WindowAttrs): Paddings | undefined {
  const listed = listedPadding(pad);
  return typeof listed === "string" ? undefined : listed;
}
