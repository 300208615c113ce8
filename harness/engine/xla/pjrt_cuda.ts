import type { Device } from "../../core/types.ts";
import { pinLibrary } from "./pin_library.ts";
import { openPjrt } from "./pjrt.ts";
import { cudaDataFolder, findCudaPlugin, type FoundPlugin, nvidiaLibraries } from "./pjrt_find.ts";

/** Options after `cuda:`, separated by commas. */
const OPTIONS = ["highest", "deterministic"] as const;

/**
 * Opens the first NVIDIA GPU. `name` is `cuda`, or `cuda:` with `highest` (full float32 products; XLA's default rounds
 * operands to TF32) and `deterministic` (the same bits on every run). Throws RangeError for an unknown option, and Error
 * with a one-line hint if the GPU cannot be opened.
 */
export function openCuda(name: string): Device {
  const chosen = name.split(":")[1]?.split(",") ?? [];
  const unknown = chosen.find((name) => !OPTIONS.some((option) => option === name));
  if (unknown !== undefined) {
    throw new RangeError(
      `Unknown option "${unknown}" of cuda: known options are ${OPTIONS.join(", ")}`,
    );
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
    highest: chosen.includes("highest"),
    deterministic: chosen.includes("deterministic"),
    cudaDataFolder: cudaDataFolder(found),
  });
}

/**
 * Loads the libraries beside the plugin. The order of their dependencies is unknown, so a library that fails is tried
 * again as long as others succeed. One that never loads is ignored here: the plugin names it if it needs it.
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
