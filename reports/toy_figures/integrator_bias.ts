import * as Plot from "@observablehq/plot";
import type { ToyReport } from "../../harness/core/toy_report.ts";
import { COLOURS } from "../document/plot.ts";
import { grid, panel } from "./panel.ts";

/** Of closed forms on the logarithmic axis. */
const LEAST_BIAS = 1e-4;
/** Ratio of the heights of two labels that do not overlap, on four and a half decades over 360 pixels. */
const LABEL_GAP = 1.45;

/** Bias of the stationary variance of each integrator by its step size. */
export function biasFigure({ bias }: ToyReport): string {
  if (bias.length === 0) return "";
  const points = bias.map((p) => ({
    ...p,
    size: Math.abs(p.bias),
    low: Math.max(1e-5, Math.abs(p.bias) - p.error),
    high: Math.abs(p.bias) + p.error,
  })).filter(({ size, error }) => size > 3 * error); // as slopes do
  const theory = bias.map((p) => ({ ...p, size: Math.abs(p.theory ?? 0) }))
    .filter(({ size }) => size > LEAST_BIAS); // none, or where it changes its sign
  const labels = [...new Set(bias.map(({ label }) => label))];
  const steps = [...new Set(bias.map(({ stepSize }) => stepSize))];
  const last = Math.max(...steps);
  const title = "Bias of the variance on N(0, 1) by step size, each integrator";
  return grid(title, [[panel("|variance − 1| on N(0, 1): measured (dots), closed form (lines)", {
    width: 620,
    height: 420,
    marginLeft: 56,
    marginRight: 190,
    marginBottom: 40,
    inset: 8,
    x: { type: "log", label: "step size", ticks: steps, tickFormat: "~g" },
    y: { type: "log", label: "|bias|", tickFormat: "~e" },
    color: { type: "categorical", domain: labels, range: COLOURS },
    marks: [
      Plot.line(theory, { x: "stepSize", y: "size", stroke: "label", z: "label" }),
      Plot.ruleX(points, { x: "stepSize", y1: "low", y2: "high", stroke: "label" }),
      Plot.dot(points, { x: "stepSize", y: "size", fill: "label", r: 3 }),
      Plot.text(
        spread(labels.flatMap((label) => {
          const own = [...theory, ...points].filter((p) => p.label === label)
            .toSorted((a, b) => b.stepSize - a.stepSize)[0];
          return own ? [{ label, size: own.size }] : [];
        })),
        {
          x: last,
          y: "at",
          text: "label",
          fill: "label",
          dx: 16,
          textAnchor: "start",
          fontSize: 10,
        },
      ),
      Plot.frame({ stroke: "#999" }),
    ],
  })]]);
}

/** Heights for labels on a logarithmic axis, at their sizes or so far above that they do not overlap. */
function spread<T extends { readonly size: number }>(
  labels: readonly T[],
): (T & { readonly at: number })[] {
  let last = 0;
  return labels.toSorted((a, b) => a.size - b.size).map((label) => {
    last = Math.max(label.size, last * LABEL_GAP);
    return { ...label, at: last };
  });
}
