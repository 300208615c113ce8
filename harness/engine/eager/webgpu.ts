import { tmpdir } from "node:os";
import * as tf from "@tensorflow/tfjs";
import type { Device } from "../../core/types.ts";
import { openEager } from "./eager.ts";
import { registerHostNoise } from "./tfjs_host_noise.ts";
import { supplyLog1p } from "./webgpu_log1p.ts";

const REMEDY =
  "install the driver of the graphics card, or Mesa's software Vulkan (Debian: mesa-vulkan-drivers), and try deno task gpu --device webgpu";

/** Eager TensorFlow.js on Deno's navigator.gpu. Throws Error with the remedy in one line where there is no adapter. */
export async function openWebGpu(): Promise<Device> {
  // Mesa, where nobody is logged in, calls it an error that there is no such folder, and works.
  if (Deno.env.get("XDG_RUNTIME_DIR") === undefined) Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  const { gpu } = navigator as Navigator & { gpu?: GPU };
  if (!gpu) throw new Error("Device webgpu: this runtime has no WebGPU: use Deno 2.9 or newer");
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error(`Device webgpu: no adapter was found: ${REMEDY}`);
  await import("@tensorflow/tfjs-backend-webgpu");
  registerHostNoise("webgpu");
  supplyLog1p("webgpu");
  let device: Device;
  try {
    device = await openEager("webgpu", "webgpu");
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\s+/g, " ") : String(error);
    throw new Error(`Device webgpu did not start: ${reason}: ${REMEDY}`, { cause: error });
  }
  const { device: card, description } = adapter.info;
  return {
    ...device,
    description: `tfjs ${tf.version.tfjs} WebGPU (eager) on ${
      [description, card].filter(Boolean).join(", ") || "an unnamed adapter"
    }`,
  };
}
