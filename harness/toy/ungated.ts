import type { SamplerTheory, Target } from "../core/toy_types.ts";

/** Why draws of `sampler` cannot be held to the truth on `target`, in a sentence; null if they can. */
export function whyUngated(sampler: SamplerTheory, target: Target): string | null {
  return sampler.ungated?.(target) ?? target.ungated?.(sampler) ?? null;
}
