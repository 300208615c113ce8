import { describeMachine, timedParts } from "../document/timed_parts.ts";
import * as Plot from "@observablehq/plot";
import { median } from "../../harness/statistics/summary.ts";
import { formatNumber, nameOf } from "../document/block.ts";
import type { RatioCell, ResultTable } from "../document/result_table.ts";
import { type Chart, chartsHtml, INK } from "../page/chart.ts";
import { datasetLabel, type FigureData } from "../page/content.ts";
import { formatRatio } from "./times.ts";

/** One epoch that counts. */
interface TimedEpoch {
  readonly name: string;
  readonly seconds: number;
  readonly title: string;
}

/** Seconds of every epoch by method, and the published ratios, as HTML; empty without times. */
export function timeFigures(data: FigureData): string[] {
  const charts = [...secondsCharts(data), ...ratioCharts(data.table)];
  return charts.length === 0 ? [] : [chartsHtml(charts, "wide")];
}

/** A chart for each data set and machine: times of different machines do not share one. */
function secondsCharts({ table, rows }: FigureData): Chart[] {
  const machines = [
    ...new Set(table.rows.flatMap(({ times }) => times.map(({ machine }) => machine))),
  ];
  return table.datasets.flatMap(({ name: dataset }) =>
    machines.flatMap((machine, i) => {
      const timed = rows.filter(({ row }) =>
        row.times.some((time) => time.dataset === dataset && time.machine === machine)
      );
      const epochs = timed.flatMap(({ row, records }) =>
        records.filter(({ spec }) => spec.dataset === dataset).flatMap((run) =>
          timedParts(run).filter((part) => describeMachine(part.machine) === machine)
            .flatMap(({ epochs }) => epochs).map(({ epoch, seconds }): TimedEpoch => ({
              name: nameOf(row),
              seconds,
              title: `${nameOf(row)}, seed ${run.spec.seed}, epoch ${epoch + 1}: ${
                seconds.toPrecision(3)
              } s`,
            }))
        )
      );
      if (epochs.length === 0) return [];
      const place = machines.length > 1 ? `, machine ${i + 1}` : "";
      const names = [...new Set(epochs.map(({ name }) => name))];
      const medians = names.map((name) => ({
        name,
        seconds: median(epochs.filter((one) => one.name === name).map(({ seconds }) => seconds)),
      }));
      return [{
        title: `${datasetLabel(table, dataset)}: seconds of each epoch${place}`,
        description: medians.map(({ name, seconds }) =>
          `${name}: median ${formatNumber(seconds)} s`
        ).join("; "),
        plot: {
          width: 560,
          height: 66 + 22 * names.length,
          marginLeft: 140,
          marginBottom: 40,
          marginRight: 16,
          x: { label: "seconds", grid: true, zero: true },
          y: { domain: names, label: null, tickSize: 0 },
          marks: [
            Plot.dot(epochs, {
              x: "seconds",
              y: "name",
              r: 2.5,
              fill: INK.own,
              fillOpacity: 0.5,
              title: "title",
            }),
            Plot.tickX(medians, { x: "seconds", y: "name", stroke: INK.own, strokeWidth: 2.5 }),
          ],
        },
      }];
    })
  );
}

/** Our ratios and the paper's, a chart for each data set. */
function ratioCharts(table: ResultTable): Chart[] {
  const nameBy = (key: string) => {
    const row = table.rows.find((row) => row.key === key);
    return row === undefined ? key : nameOf(row);
  };
  const nameOfRatio = ({ numerator, denominator }: RatioCell) =>
    `${nameBy(numerator)} / ${nameBy(denominator)}`;
  return table.datasets.flatMap(({ name, label }) => {
    const cells = table.ratios.filter(({ dataset, ratio }) => dataset === name && ratio !== null);
    if (cells.length === 0) return [];
    const own = cells.map((cell) => ({
      name: nameOfRatio(cell),
      ratio: cell.ratio ?? NaN,
      low: cell.range?.[0] ?? cell.ratio ?? NaN,
      high: cell.range?.[1] ?? cell.ratio ?? NaN,
      title: `here: ${formatRatio(cell)}`,
    }));
    const published = cells.map((cell) => ({
      name: nameOfRatio(cell),
      ratio: Number(cell.published.printed),
      title: `the paper: ${cell.published.printed} (${cell.published.verdict})`,
    }));
    return [{
      title: `${label}: ratios of seconds per epoch, beside the paper's (diamonds)`,
      description: cells.map((cell) =>
        `${nameOfRatio(cell)}: ${
          formatRatio(cell)
        } here, ${cell.published.printed} in the paper, ${cell.published.verdict}`
      ).join("; "),
      plot: {
        width: 560,
        height: 66 + 30 * cells.length,
        marginLeft: 140,
        marginBottom: 40,
        marginRight: 24,
        x: { label: "ratio", grid: true, zero: true },
        y: { domain: [...new Set(own.map(({ name }) => name))], label: null, tickSize: 0 },
        marks: [
          Plot.ruleX([1], { stroke: INK.faint, strokeDasharray: "4 3" }),
          Plot.ruleY(own, {
            y: "name",
            x1: "low",
            x2: "high",
            stroke: INK.own,
            strokeWidth: 5,
            strokeOpacity: 0.35,
          }),
          Plot.dot(own, { x: "ratio", y: "name", r: 4, fill: INK.own, title: "title" }),
          Plot.dot(published, {
            x: "ratio",
            y: "name",
            r: 5.5,
            symbol: "diamond",
            stroke: INK.published,
            strokeWidth: 2,
            title: "title",
          }),
        ],
      },
    }];
  });
}
