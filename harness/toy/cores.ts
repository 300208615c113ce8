import { openOnnxThread } from "../engine/onnx/ort_thread.ts";
import { availableCores } from "../core/threads.ts";
import type { Device } from "../core/types.ts";

/** `count` devices that run side by side with one thread each, one for each core by default: chains are too small for two. */
export async function openCores(
  count = availableCores(),
): Promise<{ readonly devices: readonly Device[] } & AsyncDisposable> {
  const devices = await Promise.all(
    Array.from({ length: count }, () => openOnnxThread({ threads: 1 })),
  );
  return {
    devices,
    async [Symbol.asyncDispose]() {
      for (const device of devices) await device[Symbol.asyncDispose]();
    },
  };
}
