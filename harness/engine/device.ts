import type { Device } from "../core/types.ts";
import { openEager } from "./eager/eager.ts";
import { openOnnxRuntime } from "./onnx/ort.ts";

/** Values of `--device`, each with its description. */
export const DEVICES: Readonly<Record<string, string>> = {
  "cpu": "compiled, ONNX Runtime on the CPU (default)",
  "tfjs-cpu": "eager TensorFlow.js in plain JavaScript: slow, the reference of the tests",
  "cuda": "compiled, XLA on an NVIDIA GPU; see deno task gpu",
  "cuda:OPTIONS":
    "cuda with options: cuda:highest (without TF32), cuda:deterministic, cuda:highest,deterministic",
  "pjrt:PATH": "compiled, XLA by the PJRT plugin in the file PATH",
  "webgpu": "eager TensorFlow.js on WebGPU",
  "tfjs-node": "eager TensorFlow on the CPU, the npm package @tensorflow/tfjs-node",
  "tfjs-node-gpu": "eager TensorFlow on an NVIDIA GPU, the npm package @tensorflow/tfjs-node-gpu",
};

/**
 * Opens a device by its name; imports its modules on first use. Throws RangeError for an unknown name, and Error with a
 * one-line hint for a device that this machine does not have.
 */
export async function openDevice(
  name: string,
  { threads }: { readonly threads: number },
): Promise<Device> {
  const [kind, rest] = [name.split(":")[0], name.slice(name.indexOf(":") + 1)];
  switch (name.includes(":") ? `${kind}:` : name) {
    case "cpu":
      return await openOnnxRuntime({ threads });
    case "tfjs-cpu":
      return await openEager(name, "cpu");
    case "cuda":
    case "cuda:":
      return (await import("./xla/pjrt_cuda.ts")).openCuda(name);
    case "pjrt:":
      return (await import("./xla/pjrt.ts")).openPjrt(rest, { name });
    case "webgpu":
      return await (await import("./eager/webgpu.ts")).openWebGpu();
    case "tfjs-node":
    case "tfjs-node-gpu":
      return await (await import("./eager/tfjs_node.ts")).openTfjsNode(name, { threads });
    default:
      throw new RangeError(
        `Unknown device "${name}": known devices are ${Object.keys(DEVICES).join(", ")}`,
      );
  }
}
