/**
 * Assigns GPUs to processes: runs are independent, so several GPUs train several runs at a time.
 *
 * @module
 */

/** Environment variable that lists the GPUs a process may use, by index or UUID; CUDA renumbers them from 0. */
export const GPUS_VARIABLE = "CUDA_VISIBLE_DEVICES";

/**
 * The NVIDIA GPUs for runs on `device`: those that CUDA_VISIBLE_DEVICES (`visible`) allows, or all `count` that the device
 * found. Empty for other devices and if unknown.
 */
export function gpusFor(
  device: string,
  { count, visible }: { readonly count: number; readonly visible: string | undefined },
): readonly string[] {
  if (!isCuda(device)) return [];
  if (visible === undefined) return Array.from({ length: count }, (_, i) => String(i));
  const names = visible.split(",").map((name) => name.trim());
  const end = names.findIndex((name) => name === "" || name.startsWith("-")); // as CUDA reads it
  return end < 0 ? names : names.slice(0, end);
}

/** Extra environment for the process in `slot`: the GPU that it may use. Empty without `gpus`. */
export function environmentOf(
  slot: number,
  gpus: readonly string[],
): Readonly<Record<string, string>> {
  return gpus.length === 0 ? {} : { [GPUS_VARIABLE]: gpus[slot % gpus.length] };
}

/** A warning that more `jobs` than `gpus` run at a time; undefined if each job has a GPU or needs none. */
export function sharedGpuWarning(
  device: string,
  { gpus, jobs }: { readonly gpus: readonly string[]; readonly jobs: number },
): string | undefined {
  if (!isCuda(device) || jobs <= Math.max(1, gpus.length)) return undefined;
  return gpus.length === 0
    ? `${jobs} parallel runs share the first GPU: list the GPUs in ${GPUS_VARIABLE} to give each run its own`
    : `${jobs} parallel runs share ${gpus.length} GPUs: --jobs ${gpus.length} gives each run its own`;
}

function isCuda(device: string): boolean {
  return /^cuda(:|$)/.test(device) || device === "tfjs-node-gpu";
}
