import * as Plot from "@observablehq/plot";
import { nameOf } from "../document/block.ts";
import type { CalibrationCell, ResultTable, StatisticCell } from "../document/result_table.ts";
import { type Chart, chartHtml, INK } from "../page/chart.ts";
import { datasetLabel } from "../page/content.ts";
import { escapeHtml } from "../page/html.ts";
import { STATISTIC_LABELS } from "./calibration.ts";

/** Histograms of signed ranks, a row of charts for each method and data set, as HTML; empty if no run was calibrated. */
export function calibrationFigure(table: ResultTable): string[] {
  const { rows, datasets } = table;
  const parts = rows.flatMap((row) =>
    row.calibration.filter(({ start }) => start === "infer").map((cell) => {
      const where = datasets.length === 1 ? "" : `, ${datasetLabel(table, cell.dataset)}`;
      const name = `${nameOf(row)}${where}`;
      const charts = chartsOf(cell, name).map(chartHtml).join("\n");
      return `<h4>${escapeHtml(name)}</h4>\n<div class="charts tiny">\n${charts}\n</div>`;
    })
  );
  if (parts.length === 0) return [];
  const text =
    "Signed ranks of T(z\u2032, x) - T(z, x), from -1 (T(z\u2032) far below) to 1 (far above), all seeds together: flat if " +
    "inference is right, with 19 of 20 bars in the grey band.";
  return ["<h3>Calibration of inference: ranks</h3>", `<p class="note">${text}</p>`, ...parts];
}

function chartsOf({ statistics }: CalibrationCell, name: string): Chart[] {
  return statistics.map((cell) => {
    const label = STATISTIC_LABELS[cell.statistic] ?? cell.statistic;
    return {
      title: label,
      description: `${name}: histogram of the signed ranks of ${label}; effect ${
        cell.effect.toFixed(2)
      }, where 0 is right`,
      plot: histogramOf(cell),
    };
  });
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
        fill: INK.faint,
        fillOpacity: 0.35,
      }),
      Plot.rectY(bars, { x1: "x1", x2: "x2", y: "count", fill: INK.own, fillOpacity: 0.75 }),
      Plot.ruleY([expected], { stroke: INK.faint }),
    ],
  };
}
