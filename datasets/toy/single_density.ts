import type { SamplerTheory, Target } from "../../harness/core/toy_types.ts";

/** The common part of targets that are one density, and not posteriors of observations. */
export const SINGLE_DENSITY = {
  points: 1,
  inputs: [[1]],
  encoder: { depth: 2, width: 32, activation: "relu" },
  parameters: {},
  batchSize: 1,
} as const satisfies Partial<Target>;

/** Refuses to hold samplers without a Metropolis test to the truth, for `reason`. */
export function metropolisOnly(reason: string): NonNullable<Target["ungated"]> {
  return ({ accepted }: SamplerTheory) => accepted ? null : reason;
}
