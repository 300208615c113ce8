import { PjrtError } from "./pjrt_api.ts";

/** absl::StatusCode for running out of memory. */
const RESOURCE_EXHAUSTED = 8;

/** Hints for the user by the text of an error; the first match applies. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /driver version is insufficient|CUDA_ERROR_SYSTEM_DRIVER_MISMATCH|driver.{0,40}too old/i,
    "update NVIDIA's driver (580 or later for CUDA 13), or use the plugin of jax-cuda12-pjrt",
  ],
  [
    /no CUDA-capable device|CUDA_ERROR_NO_DEVICE|no device|no visible .*GPU|failed call to cuInit/i,
    "no NVIDIA GPU is visible to this process: check nvidia-smi and CUDA_VISIBLE_DEVICES",
  ],
  [
    /dimension is too fragmented|Failed to parse using StableHLO|CompiledMemoryStats is not supported/,
    "this plugin's XLA is too old: use the plugin of jax 0.9.2 or later",
  ],
  [
    /The plugin (.*) cannot be loaded: \1: cannot open shared object file/,
    "name the file of a PJRT plugin",
  ],
  [
    /file too short|invalid ELF header|GetPjrtApi/,
    "this is not a PJRT plugin: name the file of a PJRT plugin",
  ],
  [
    /cannot open shared object|dlopen|not found|Could not load|DSO/i,
    "a library that the plugin needs is missing: install the plugin with its libraries (deno task gpu --fetch cuda13)",
  ],
];

/** Runs `task` and adds a hint, in one line, to an error of the plugin. */
export function withHint<T>(task: () => T): T {
  try {
    const result = task();
    return result instanceof Promise
      ? result.catch((error: unknown) => {
        throw addHint(error);
      }) as T
      : result;
  } catch (error) {
    throw addHint(error);
  }
}

/** Returns the error with a hint if one is known, else the error itself. */
export function addHint(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const isPlugin = error instanceof PjrtError || error.message.startsWith("The plugin ");
  if (!isPlugin) return error;
  const hint = error instanceof PjrtError && error.code === RESOURCE_EXHAUSTED
    ? "the device's memory is full: use a smaller batch or fewer jobs at a time"
    : HINTS.find(([pattern]) => pattern.test(error.message))?.[1];
  if (hint === undefined) return error;
  return new Error(`${error.message.replace(/\.$/, "")}: ${hint}`, { cause: error });
}
