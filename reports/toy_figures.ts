import type { ToyReport } from "../harness/core/toy_report.ts";
import { everySamplerFigure } from "./toy_figures/every_sampler.ts";
import { posteriorsFigure } from "./toy_figures/fig2_4_6_posteriors.ts";
import { tracesFigure } from "./toy_figures/fig3_traces.ts";
import { gapFigure } from "./toy_figures/fig5_amortization_gap.ts";
import { biasFigure } from "./toy_figures/integrator_bias.ts";

/** Figures by file name, as SVG. */
export type Figures = Readonly<Record<string, string>>;

/** The paper's toy figures and those of all samplers: all that the report has something for. */
export function toyFigures(report: ToyReport): Figures {
  const every = report.targets.map(({ name }) =>
    [`samplers_${name}`, everySamplerFigure(report, name)] as const
  );
  const posteriors = (experiment: string, samplers: readonly string[]) =>
    posteriorsFigure(report, {
      experiment,
      runs: samplers.flatMap((name) =>
        report.runs.filter((run) => run.experiment === experiment && run.sampler === name)
      ),
    });
  const figures: Figures = {
    fig2a: posteriors("bivariate", ["ld", "ald"]),
    fig2b: posteriors("eight_gaussians", ["ld", "ald"]),
    fig3: tracesFigure(report),
    fig4_6: posteriors("neural", ["avi_diagonal", "avi_full", "ald"]),
    fig5: gapFigure(report),
    bias: biasFigure(report),
    ...Object.fromEntries(every),
  };
  return Object.fromEntries(Object.entries(figures).filter(([, svg]) => svg !== ""));
}
