import type { Block } from "./document/block.ts";
import type { ResultTable } from "./document/result_table.ts";
import { amortizationBlocks } from "./sections/amortization.ts";
import { likelihoodBlocks } from "./sections/likelihood.ts";
import { provenanceBlocks, settingsBlocks } from "./sections/provenance.ts";
import { reconstructionBlocks } from "./sections/reconstructions.ts";
import { scoreBlocks } from "./sections/scores.ts";
import { seedBlocks } from "./sections/seeds.ts";
import { timeBlocks } from "./sections/times.ts";

/** The report of `table`: scores as in the paper's Table 1, lost seeds, times, settings, provenance. */
export function layOut(table: ResultTable): Block[] {
  return [
    { kind: "title", text: `Results: ${table.experiments.join(", ") || "no runs"}` },
    ...scoreBlocks(table, table.metrics.filter(({ importanceSamples: k }) => k === undefined)),
    ...likelihoodBlocks(table),
    ...seedBlocks(table),
    ...timeBlocks(table),
    ...reconstructionBlocks(table),
    ...amortizationBlocks(table),
    ...settingsBlocks(table),
    ...provenanceBlocks(table),
  ];
}
