import * as tf from "@tensorflow/tfjs";

/** A replacement for a tfjs kernel. It gets tensors by name and attributes; undefined falls back to the original. */
export type KernelCall<Attributes> = (
  inputs: Readonly<Record<string, tf.Tensor>>,
  attrs: Attributes,
) => tf.Tensor | undefined;

/**
 * Puts `replacement`, made of tfjs operations, in front of a kernel of `backendName`. Idempotent in effect: replacing
 * twice is harmless. Throws Error if the backend has no such kernel.
 */
export function replaceKernel<Attributes>(
  kernelName: string,
  backendName: string,
  replacement: KernelCall<Attributes>,
): void {
  const kernel = tf.getKernel(kernelName, backendName);
  if (!kernel) throw new Error(`The backend ${backendName} has no kernel ${kernelName}`);
  tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    ...kernel,
    kernelFunc: (call) =>
      tf.tidy(() =>
        replacement(call.inputs as tf.NamedTensorMap, call.attrs as unknown as Attributes)
      ) ?? kernel.kernelFunc(call),
  });
}
