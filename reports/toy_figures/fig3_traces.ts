import * as Plot from "@observablehq/plot";
import type { ToyReport } from "../../harness/core/toy_report.ts";
import { COLOURS } from "../document/plot.ts";
import { grid, panel } from "./panel.ts";

/** LAE Fig. 3, the way to the posterior: it has two samplers, each at step sizes from large to small. */
export function tracesFigure({ convergence }: ToyReport): string {
  const shown = ["ld", "sgald"].flatMap((name) =>
    convergence.filter(({ sampler }) => sampler === name)
      .toSorted((a, b) => b.stepSize - a.stepSize)
  );
  return grid(
    "Chains of LD and SGALD on their way to the posterior, by step size",
    shown.map((c) => {
      const trace = c.trace.map((z, i) => ({ step: i * c.stride, z }));
      const { mean, std } = c;
      return [panel(`${c.label}, step size ${c.stepSize.toPrecision(2)}`, {
        width: 720,
        height: 190,
        marginLeft: 44,
        x: { label: "step" },
        y: { label: "z₁", nice: true },
        marks: [
          Plot.rectY([0], {
            y1: mean - std,
            y2: mean + std,
            x1: 0,
            x2: trace.length * c.stride,
            fill: COLOURS[0],
            fillOpacity: 0.18,
          }),
          Plot.ruleY([mean], { stroke: COLOURS[0], strokeWidth: 1.4 }),
          Plot.lineY(trace, { x: "step", y: "z", stroke: COLOURS[1], strokeWidth: 0.7 }),
          ...(c.t90 === null
            ? []
            : [Plot.ruleX([c.t90], { stroke: "#555", strokeDasharray: "4 3" })]),
          Plot.frame({ stroke: "#999" }),
        ],
      })];
    }),
  );
}
