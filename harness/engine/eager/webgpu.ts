import { tmpdir } from "node:os";
import * as tf from "@tensorflow/tfjs";
import type { Device } from "../../core/types.ts";
import { openEager } from "./eager.ts";
import { supplyPoolingGradients } from "./average_pooling.ts";
import { supplyNumberPadding } from "./number_padding.ts";
import { supplyStridedSlice } from "./strided_slice.ts";
import { registerHostNoise } from "./tfjs_host_noise.ts";
import { supplyLog1p } from "./webgpu_log1p.ts";
import { supplyPads, supplySums } from "./webgpu_sums_and_pads.ts";

const HINT =
  "install the GPU's driver or Mesa's software Vulkan (Debian: mesa-vulkan-drivers), then try deno task gpu --device webgpu";

/** Opens eager TensorFlow.js on Deno's navigator.gpu. Throws Error with a one-line hint if there is no adapter. */
export async function openWebGpu(): Promise<Device> {
  // Without a login session Mesa reports an error that this folder is missing, but works.
  if (Deno.env.get("XDG_RUNTIME_DIR") === undefined) Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  const { gpu } = navigator as Navigator & { gpu?: GPU };
  if (!gpu) {
    throw new Error("Device webgpu: this runtime does not support WebGPU: use Deno 2.9 or newer");
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error(`Device webgpu: no adapter was found: ${HINT}`);
  await import("@tensorflow/tfjs-backend-webgpu");
  registerHostNoise("webgpu");
  supplyLog1p("webgpu");
  supplySums("webgpu");
  supplyPads("webgpu");
  supplyNumberPadding("webgpu");
  supplyPoolingGradients("webgpu");
  supplyStridedSlice("webgpu");
  let device: Device;
  try {
    device = await openEager("webgpu", "webgpu");
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\s+/g, " ") : String(error);
    throw new Error(`Device webgpu did not start: ${reason}: ${HINT}`, { cause: error });
  }
  const { device: model, description } = adapter.info;
  return {
    ...device,
    description: `tfjs ${tf.version.tfjs} WebGPU (eager) on ${
      [description, model].filter(Boolean).join(", ") || "an unnamed adapter"
    }`,
  };
}
