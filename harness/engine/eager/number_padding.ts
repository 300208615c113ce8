/** Convolutions and average pooling padded by a number, with filters and strides that need not be square. @module */
import * as tf from "@tensorflow/tfjs";
import {
  checkGradientShape,
  convolutionWindow,
  listedPadding,
  type WindowAttrs,
} from "../graph/convolution_window.ts";
import { replaceKernel } from "./replace_kernel.ts";

/** Passes a padding number to the convolutions and pools of `backendName` as a list, which tfjs reads correctly. */
export function supplyNumberPadding(backendName: string): void {
  const listed = (
    kernel: string,
    inputs: Readonly<Record<string, tf.Tensor>>,
    attrs: WindowAttrs,
  ) =>
    typeof attrs.pad === "number"
      ? tf.engine().runKernel(
        kernel,
        { ...inputs },
        { ...attrs, pad: listedPadding(attrs.pad) } as unknown as tf.NamedAttrMap,
      ) as tf.Tensor
      : undefined;
  for (const kernel of ["Conv2D", "AvgPool"]) {
    replaceKernel<WindowAttrs>(
      kernel,
      backendName,
      (inputs, attrs) => listed(kernel, inputs, attrs),
    );
  }
  replaceKernel<WindowAttrs & { readonly inputShape: number[] }>(
    "Conv2DBackpropInput",
    backendName,
    (inputs, attrs) => {
      const { dy, filter } = inputs;
      checkGradientShape(
        dy.shape,
        convolutionWindow(attrs.inputShape, filter.shape, attrs).outShape,
      );
      return listed("Conv2DBackpropInput", inputs, attrs);
    },
  );
  replaceKernel<WindowAttrs & { readonly filterShape: number[] }>(
    "Conv2DBackpropFilter",
    backendName,
    (inputs, attrs) => {
      const { x, dy } = inputs;
      checkGradientShape(dy.shape, convolutionWindow(x.shape, attrs.filterShape, attrs).outShape);
      return listed("Conv2DBackpropFilter", inputs, attrs);
    },
  );
}
