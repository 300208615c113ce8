import * as Plot from "@observablehq/plot";
import { studentInterval } from "../../harness/statistics/student.ts";
import { formatSeeds, nameOf } from "../document/block.ts";
import type { MetricName, ResultTable, Row, ScoreCell } from "../document/result_table.ts";
import { type Chart, chartsHtml, INK } from "../page/chart.ts";
import { datasetLabel } from "../page/content.ts";

const NOTE =
  "Dots: seeds. Bars: 95 % Student-t intervals of the means, which are the ticks; they assume normal seeds and are wide at " +
  "n = 3. Diamonds: published means.";

/** The scores of every row, a chart for each data set and score, as HTML; empty without scores. */
export function scoreFigure(table: ResultTable): string[] {
  const charts = table.datasets.flatMap(({ name }) =>
    table.metrics.flatMap((metric) => {
      const cells = table.rows.flatMap((row) =>
        row.scores.filter((cell) =>
          cell.dataset === name && cell.metric === metric.name && cell.mean !== null
        ).map((cell) => ({ row, cell }))
      );
      return cells.length === 0
        ? []
        : [chartOf(cells, { metric, label: datasetLabel(table, name) })];
    })
  );
  return charts.length === 0 ? [] : [`<p class="note">${NOTE}</p>`, chartsHtml(charts, "wide")];
}

function chartOf(
  cells: readonly { readonly row: Row; readonly cell: ScoreCell }[],
  { metric, label }: { readonly metric: MetricName; readonly label: string },
): Chart {
  const names = cells.map(({ row }) => nameOf(row));
  const seeds = cells.flatMap(({ row, cell }) =>
    cell.values.map(({ seed, value }) => ({
      name: nameOf(row),
      value,
      title: `${nameOf(row)}, seed ${seed}: ${value.toPrecision(4)}`,
    }))
  );
  const means = cells.flatMap(({ row, cell: { mean, std, n } }) => {
    if (mean === null) return [];
    const [low, high] = studentInterval({ mean, std, n }) ?? [mean, mean];
    return [{ name: nameOf(row), mean, low, high }];
  });
  const published = cells.flatMap(({ row, cell: { published } }) =>
    published === null ? [] : [{
      name: nameOf(row),
      value: Number.parseFloat(published.printed),
      title: `${nameOf(row)}, ${published.source}: ${published.printed} (${published.verdict})`,
    }]
  );
  // An interval of a few seeds may be wider than all values together: it is cut where it would hide them.
  const values = [...seeds, ...published].map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = 0.25 * (most - least || Math.abs(most) || 1);
  const [low, high] = [least < 0 ? least - room : Math.max(0, least - room), most + room];
  const clamp = (x: number) => Math.min(high, Math.max(low, x));
  return {
    title: `${label}: ${metric.label} (${metric.better} is better)`,
    description: cells.map(({ row, cell }) => `${nameOf(row)} ${formatSeeds(cell)}`).join("; "),
    plot: {
      width: 560,
      height: 66 + 22 * new Set(names).size,
      marginLeft: 140,
      marginBottom: 40,
      marginRight: 16,
      x: { label: metric.label, grid: true, domain: [low, high] },
      y: { domain: [...new Set(names)], label: null, tickSize: 0 },
      marks: [
        Plot.ruleY(means, {
          y: "name",
          x1: ({ low }) => clamp(low),
          x2: ({ high }) => clamp(high),
          stroke: INK.own,
          strokeWidth: 5,
          strokeOpacity: 0.3,
        }),
        Plot.tickX(means, { x: "mean", y: "name", stroke: INK.own, strokeWidth: 2, inset: 3 }),
        Plot.dot(seeds, { x: "value", y: "name", r: 3, fill: INK.own, title: "title" }),
        Plot.dot(published, {
          x: "value",
          y: "name",
          r: 5,
          symbol: "diamond",
          stroke: INK.published,
          strokeWidth: 2,
          title: "title",
        }),
      ],
    },
  };
}
