import { PjrtError } from "./pjrt_api.ts";

/** absl::StatusCode of memory that ran out. */
const RESOURCE_EXHAUSTED = 8;

/** What a user can do about an error, by its code or its text; first match. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
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
  [/file too short|invalid ELF header|GetPjrtApi/, "this is no PJRT plugin; name the file of one"],
  [
    /cannot open shared object|dlopen|not found|Could not load|DSO/i,
    "a library that the plugin needs is missing: install the plugin with its libraries (deno task gpu --fetch cuda13)",
  ],
];

/** Runs `task`; an error of the plugin leaves with what would help, in one line. */
export function withRemedy<T>(task: () => T): T {
  try {
    const result = task();
    return result instanceof Promise
      ? result.catch((error: unknown) => {
        throw addRemedy(error);
      }) as T
      : result;
  } catch (error) {
    throw addRemedy(error);
  }
}

/** The error with its remedy, if one is known; itself otherwise. */
export function addRemedy(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const isPlugin = error instanceof PjrtError || error.message.startsWith("The plugin ");
  if (!isPlugin) return error;
  const remedy = error instanceof PjrtError && error.code === RESOURCE_EXHAUSTED
    ? "the device's memory is full; use a smaller batch or fewer jobs at a time"
    : REMEDIES.find(([pattern]) => pattern.test(error.message))?.[1];
  if (remedy === undefined) return error;
  return new Error(`${error.message.replace(/\.$/, "")}: ${remedy}`, { cause: error });
}
