import * as tf from "@tensorflow/tfjs";
import { fillNoise, type Key, NOISE_KERNEL, type NoiseKind } from "../../core/noise.ts";

/**
 * Registers a noise kernel for the tfjs backend `backendName` that draws on the host. Reading the counters is cheap: they
 * are inputs of the step, which still exist on the host.
 */
export function registerHostNoise(backendName: string): void {
  if (tf.getKernel(NOISE_KERNEL, backendName)) return;
  tf.registerKernel({
    kernelName: NOISE_KERNEL,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const counters = inputs.counters as tf.TensorInfo;
      const { key, width, kind } = attrs as unknown as { key: Key; width: number; kind: NoiseKind };
      const { readSync, write } = backend as tf.KernelBackend;
      const shape = [counters.shape[0], width];
      const out = new Float32Array(shape[0] * width);
      const values = readSync.call(backend, counters.dataId) as Int32Array;
      fillNoise(out, { key, counters: values, width, kind });
      return { dataId: write.call(backend, out, shape, "float32"), shape, dtype: "float32" };
    },
  });
}
