import { openDevice } from "../engine/device.ts";
import type { Device } from "../types.ts";

/** `count` devices of one thread each, one for each core by default: chains are too small for two. */
export async function openCores(
  count = navigator.hardwareConcurrency,
): Promise<{ readonly devices: readonly Device[] } & AsyncDisposable> {
  const devices: Device[] = [];
  for (let i = 0; i < count; i++) devices.push(await openDevice("cpu", { threads: 1 }));
  return {
    devices,
    async [Symbol.asyncDispose]() {
      for (const device of devices) await device[Symbol.asyncDispose]();
    },
  };
}
