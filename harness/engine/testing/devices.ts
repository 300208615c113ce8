/** The devices on which tests compare results, where the machine has them. @module */
import type { Device } from "../../core/types.ts";
import { openDevice } from "../device.ts";
import { openPjrt } from "../xla/pjrt.ts";
import { findCpuPlugin } from "../xla/pjrt_find.ts";

const plugin = findCpuPlugin();

/** Every kind of device but the reference, tfjs-cpu; XLA's CPU plugin only if it is installed. */
export const DEVICE_NAMES: readonly string[] = [
  "cpu",
  ...plugin ? [`pjrt:${plugin.path}`] : [],
  "cuda:highest", // float32 products without TF32 rounding, like the reference
  "webgpu",
  "tfjs-node",
  "tfjs-node-gpu",
];

/** A device, or the error that says why the machine does not have it. XLA's CPU plugin opens without the user's cache. */
export async function tryDevice(name: string): Promise<Device | Error> {
  try {
    return name.startsWith("pjrt:")
      ? await openPjrt(name.slice("pjrt:".length), { name, cache: null })
      : await openDevice(name, { threads: 1 });
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** Name of a device without the folder of its plugin. */
export function deviceLabel(name: string): string {
  return name.replace(/:.*\//, ":");
}
