import type { LatentMoments } from "../harness/core/types.ts";
import type { MomentsCell, PriorCheckCell } from "./document/result_table.ts";
import { type CellRuns, isCompleted, spreadOf } from "./seed_cells.ts";

/** The latents by which the learned prior of one row on one data set is checked; at most one cell. */
export function priorCheckCell({ runs }: CellRuns, dataset: string): PriorCheckCell[] {
  const found = runs.filter(isCompleted).flatMap(({ priorCheck }) => priorCheck ?? []);
  if (found.length === 0) return [];
  return [{
    dataset,
    count: found[0].count, // equal in all runs of a row
    n: found.length,
    posterior: momentsOf(found.map(({ posterior }) => posterior)),
    negatives: momentsOf(found.map(({ negatives }) => negatives)),
    longChains: momentsOf(found.map(({ longChains }) => longChains)),
  }];
}

/** Moments over the seeds where they are finite. */
function momentsOf(moments: readonly LatentMoments[]): MomentsCell {
  return {
    energy: spreadOf(moments.flatMap(({ energy }) => energy ?? [])),
    trace: spreadOf(moments.flatMap(({ trace }) => trace ?? [])),
  };
}
