import * as Plot from "@observablehq/plot";
import type { ToyReport } from "../../harness/core/toy_report.ts";
import { COLOURS } from "../document/plot.ts";
import { grid, panel, subscript } from "./panel.ts";

/** LAE Fig. 5: variances of amortized chains by the leverages of the points, and by the width of the last layer. */
export function gapFigure({ gap }: ToyReport): string {
  if (gap.points.length === 0) return "";
  const widths = [...new Set(gap.points.map(({ width }) => width))];
  const size = { width: 400, height: 360, marginLeft: 44, marginBottom: 40 };
  const byLeverage = panel("Variance over leverage: every point of every chain", {
    ...size,
    x: { label: "leverage of the point", domain: [0, 1.05] },
    y: { label: "variance / posterior variance", domain: [0, 1.3] },
    color: { type: "categorical", domain: widths, range: COLOURS },
    marks: [
      Plot.line([[0, 0], [1, 1]], { stroke: "#999", strokeDasharray: "4 3" }),
      Plot.dot(gap.points, { x: "leverage", y: "varianceRatio", stroke: "width", r: 2.5 }),
      Plot.text(widths.map((width, i) => ({ width, y: 1.22 - 0.07 * i })), {
        x: 0.04,
        y: "y",
        text: ({ width }: { readonly width: number }) => `d = ${width}`,
        fill: "width",
        textAnchor: "start",
        fontSize: 11,
      }),
      Plot.frame({ stroke: "#999" }),
    ],
  });
  const points = gap.points.map((p) => ({ ...p, label: `x${subscript(p.point + 1)}` }));
  const labels = [...new Set(points.map(({ label }) => label))].toSorted();
  const byWidth = panel("Widths of the last layer: means over chains", {
    ...size,
    x: {
      type: "log",
      base: 2,
      label: `features d, for n = ${labels.length} points`,
      ticks: widths,
      tickFormat: "d",
    },
    y: { label: "variance / posterior variance", domain: [0, 1.3] },
    color: { type: "categorical", range: COLOURS },
    marks: [
      Plot.ruleY([1], { stroke: "#999", strokeDasharray: "4 3" }),
      Plot.dot(points, {
        x: "width",
        y: "varianceRatio",
        stroke: "label",
        r: 1.6,
        strokeOpacity: 0.5,
      }),
      Plot.lineY(
        points,
        Plot.groupX({ y: "mean" }, { x: "width", y: "varianceRatio", stroke: "label" }),
      ),
      Plot.text(labels.map((label, i) => ({ label, y: 0.3 - 0.07 * i })), {
        x: 100,
        y: "y",
        text: "label",
        fill: "label",
        fontSize: 12,
      }),
      Plot.frame({ stroke: "#999" }),
    ],
  });
  return grid("Variances of amortized chains over the posterior's, by leverage and by width", [[
    byLeverage,
    byWidth,
  ]]);
}
