import { mean, sampleStd } from "../harness/statistics/summary.ts";
import type { DensityCell } from "./document/result_table.ts";
import type { CellRuns } from "./seed_cells.ts";

/** Bits per dimension of the alternatives of one row on one data set, a cell each; none where no density is known. */
export function densityCells({ runs }: CellRuns, dataset: string): DensityCell[] {
  const found = runs.flatMap((run) =>
    run.status === "completed" ? Object.values(run.alternatives ?? {}) : []
  ).filter(({ bitsPerDim }) => bitsPerDim !== undefined);
  return [...Map.groupBy(found, ({ label }) => label)].map(([label, own]) => {
    const bits = own.flatMap(({ bitsPerDim }) => bitsPerDim?.mean ?? []);
    return { dataset, label, mean: mean(bits), std: sampleStd(bits), n: bits.length };
  });
}
