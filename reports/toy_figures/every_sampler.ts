import type { ToyReport } from "../../harness/core/toy_report.ts";
import { grid } from "./panel.ts";
import { histogramPanel, samplePanel } from "./posterior_panels.ts";

/** Panels in a row. */
const COLUMNS = 6;

/** Draws of every sampler for the first posterior of a target. */
export function everySamplerFigure(report: ToyReport, target: string): string {
  const normal = report.normals.find(({ experiment }) => experiment === target);
  const panels = report.runs.filter(({ experiment }) => experiment === target).map((run) =>
    normal ? histogramPanel(run, normal) : samplePanel(report, run, { posterior: 0 })
  );
  const label = report.targets.find(({ name }) => name === target)?.label ?? target;
  return grid(
    `${label}: draws of every sampler, beside the exact density`,
    inRows(panels, COLUMNS),
  );
}

/** `values` in rows of `length`. */
function inRows<T>(values: readonly T[], length: number): T[][] {
  return Array.from(
    { length: Math.ceil(values.length / length) },
    (_, i) => values.slice(i * length, (i + 1) * length),
  );
}
