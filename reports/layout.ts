import type { Block } from "./document/block.ts";
import { annealedBlocks } from "./sections/annealed.ts";
import { anomalyBlocks } from "./sections/anomaly.ts";
import { calibrationBlocks } from "./sections/calibration.ts";
import type { ResultTable } from "./document/result_table.ts";
import { amortizationBlocks } from "./sections/amortization.ts";
import { densityBlocks } from "./sections/densities.ts";
import { chainHealthBlocks } from "./sections/chain_health.ts";
import { inpaintingBlocks } from "./sections/inpainting.ts";
import { likelihoodBlocks } from "./sections/likelihood.ts";
import { priorCheckBlocks } from "./sections/prior_check.ts";
import { provenanceBlocks, settingsBlocks } from "./sections/provenance.ts";
import { reconstructionBlocks } from "./sections/reconstructions.ts";
import { classBlocks } from "./sections/samples.ts";
import { scoreBlocks } from "./sections/scores.ts";
import { seedBlocks } from "./sections/seeds.ts";
import { timeBlocks } from "./sections/times.ts";

/** The report of `table`: scores as in the paper's Table 1, lost seeds, times, settings, provenance. */
export function layOut(table: ResultTable): Block[] {
  // Rows of alternatives have samples, and all else in common with the rows before them.
  const trained = { ...table, rows: table.rows.filter(({ alternative }) => alternative === null) };
  return [
    { kind: "title", text: `Results: ${table.experiments.join(", ") || "no runs"}` },
    ...scoreBlocks(table, table.metrics.filter(({ importanceSamples: k }) => k === undefined)),
    ...classBlocks(table),
    ...likelihoodBlocks(trained),
    ...annealedBlocks(trained),
    ...densityBlocks(trained),
    ...seedBlocks(trained),
    ...timeBlocks(trained),
    ...reconstructionBlocks(trained),
    ...anomalyBlocks(trained),
    ...inpaintingBlocks(trained),
    ...calibrationBlocks(trained),
    ...amortizationBlocks(trained),
    ...chainHealthBlocks(trained),
    ...priorCheckBlocks(trained),
    ...settingsBlocks(table),
    ...provenanceBlocks(table),
  ];
}
