import type { ToyReport, ToyRun } from "../../harness/core/toy_report.ts";
import { grid, subscript } from "./panel.ts";
import { densityPanel, samplePanel } from "./posterior_panels.ts";

/** LAE Figs. 2, 4 and 6: one row for each posterior, its density and the draws of each run over its contours. */
export function posteriorsFigure(
  report: ToyReport,
  { experiment, runs }: { readonly experiment: string; readonly runs: readonly ToyRun[] },
): string {
  const densities = report.densities.filter((d) => d.experiment === experiment);
  if (runs.length === 0) return "";
  const label = report.targets.find(({ name }) => name === experiment)?.label ?? experiment;
  const samplers = runs.map((run) => run.label).join(", ");
  return grid(
    `${label}: exact density and draws of ${samplers}`,
    densities.map((density) => [
      densityPanel(
        density,
        densities.length > 1 ? `Truth, x${subscript(density.posterior + 1)}` : "Truth",
      ),
      ...runs.map((run) => samplePanel(report, run, { posterior: density.posterior })),
    ]),
  );
}
