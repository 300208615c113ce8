import type { Device } from "../../core/types.ts";
import { pinLibrary } from "./pin_library.ts";
import { openPjrt } from "./pjrt.ts";
import { cudaDataFolder, findCudaPlugin, type FoundPlugin, nvidiaLibraries } from "./pjrt_find.ts";

/** Words after `cuda:`, joined by commas. */
const OPTIONS = ["highest", "deterministic"] as const;

/**
 * The first NVIDIA GPU. `name` is `cuda`, or `cuda:` with `highest` (float32 products keep all bits; XLA's default
 * rounds operands to TF32) and `deterministic` (the same bits every time). Throws Error with a remedy in one line.
 */
export function openCuda(name: string): Device {
  const words = name.split(":")[1]?.split(",") ?? [];
  const unknown = words.find((word) => !OPTIONS.some((option) => option === word));
  if (unknown !== undefined) {
    throw new RangeError(`Unknown option "${unknown}" of cuda: known are ${OPTIONS.join(", ")}`);
  }
  const found = findCudaPlugin();
  if (!found) {
    throw new Error(
      "Device cuda needs XLA's CUDA plugin: install jax-cuda13-pjrt with its NVIDIA libraries in a Python environment on the PATH, name the plugin in LAEBENCH_PJRT_PLUGIN, or run deno task gpu --fetch cuda13",
    );
  }
  loadLibraries(found);
  return openPjrt(found.path, {
    name,
    highest: words.includes("highest"),
    deterministic: words.includes("deterministic"),
    cudaDataFolder: cudaDataFolder(found),
  });
}

/**
 * Loads what lies beside the plugin. The order of their dependencies is not known, so what fails is tried again as long
 * as others succeed; what fails in the end is left to the plugin, which names it if it needs it.
 */
function loadLibraries(found: FoundPlugin): void {
  let left = nvidiaLibraries(found);
  for (let before = -1; left.length !== before && left.length > 0;) {
    before = left.length;
    left = left.filter((path) => {
      try {
        Deno.dlopen(path, {});
        pinLibrary(path);
        return false;
      } catch {
        return true;
      }
    });
  }
}
