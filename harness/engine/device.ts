import type { Device } from "../types.ts";
import { openEager } from "./eager.ts";
import { openOnnxRuntime } from "./ort.ts";

/** Words for `--device`, with what each is. */
export const DEVICES: Readonly<Record<string, string>> = {
  "cpu": "compiled, ONNX Runtime on the CPU (default)",
  "tfjs-cpu": "eager TensorFlow.js in plain JavaScript: slow, the oracle of the tests",
};

/** Opens a device by its name. Throws RangeError for an unknown one. */
export async function openDevice(
  name: string,
  { threads }: { readonly threads: number },
): Promise<Device> {
  switch (name) {
    case "cpu":
      return await openOnnxRuntime({ threads });
    case "tfjs-cpu":
      return await openEager(name, "cpu");
    default:
      throw new RangeError(
        `Unknown device "${name}": known devices are ${Object.keys(DEVICES).join(", ")}`,
      );
  }
}
