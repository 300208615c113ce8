import * as Plot from "@observablehq/plot";
import { nameOf } from "../document/block.ts";
import type { CalibrationCell, ResultTable, StatisticCell } from "../document/result_table.ts";
import { COLOURS, grid, type Panel, panel } from "../toy_figures/panel.ts";
import { STATISTIC_LABELS } from "./calibration.ts";

/** Histograms of signed ranks, a row of panels for each method and data set, as HTML; empty if no run was calibrated. */
export function calibrationFigure({ rows, datasets }: ResultTable): string[] {
  const panels = rows.flatMap((row) =>
    row.calibration.filter(({ start }) => start === "infer").map((cell) => {
      const where = datasets.length === 1 ? "" : `, ${cell.dataset}`;
      return panelsOf(cell, `${nameOf(row)}${where}`);
    })
  );
  const svg = grid(panels);
  if (svg === "") return [];
  const text =
    "Signed ranks of T(z\u2032, x) - T(z, x), from -1 (T(z\u2032) far below) to 1 (far above), all seeds together: flat if " +
    "inference is right, with 19 of 20 bars in the grey band.";
  return ["<h2>Calibration of inference: ranks</h2>", `<p>${text}</p>`, svg];
}

function panelsOf({ statistics }: CalibrationCell, name: string): Panel[] {
  return statistics.map((cell) =>
    panel(`${name}: ${STATISTIC_LABELS[cell.statistic] ?? cell.statistic}`, histogramOf(cell))
  );
}

function histogramOf({ histogram }: StatisticCell): Plot.PlotOptions {
  const bins = histogram.length;
  const total = histogram.reduce((a, b) => a + b, 0);
  const expected = total / bins;
  // Opposite bins share 2 * expected ranks, each on either side with probability 1/2.
  const band = 1.96 * Math.sqrt(expected / 2);
  const bars = histogram.map((count, i) => ({
    x1: 2 * i / bins - 1,
    x2: 2 * (i + 1) / bins - 1,
    count,
  }));
  return {
    width: 210,
    height: 110,
    margin: 8,
    marginLeft: 30,
    marginBottom: 20,
    x: { domain: [-1, 1], label: null, ticks: [-1, 0, 1], tickSize: 3 },
    y: { domain: [0, 2.2 * expected], label: null, ticks: 3, tickSize: 3 },
    marks: [
      Plot.rect([{ y1: expected - band, y2: expected + band }], {
        x1: -1,
        x2: 1,
        y1: "y1",
        y2: "y2",
        fill: "#ccc",
      }),
      Plot.rectY(bars, { x1: "x1", x2: "x2", y: "count", fill: COLOURS[0], fillOpacity: 0.6 }),
      Plot.ruleY([expected], { stroke: "#555" }),
    ],
  };
}
