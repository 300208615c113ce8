import {
  type Block,
  type Cell,
  formatInterval,
  formatMeanStd,
  nameOf,
  NONE,
} from "../document/block.ts";
import { pairedDifference } from "../document/paired.ts";
import type { MetricName, ResultTable } from "../document/result_table.ts";
import { datasetLabel } from "../page/content.ts";
import { blockHtml } from "../page/blocks.ts";
import { detailsHtml } from "../page/html.ts";

const NOTE =
  "Each cell is the mean ± sample standard deviation, over equal seeds, of the row's score minus the column's, with the 95 % " +
  "Student-t interval of the mean difference. Equal seeds share the order of the batches and the real images. Lower or higher: " +
  "the interval leaves out 0; unclear: it does not. With fewer than 6 pairs the finding is weak: it rests on the differences " +
  "being normal, which so few cannot show. No correction is made for the number of comparisons.";

/** Every two rows at equal seeds, a table for each data set and score, as HTML; empty where no two rows share a seed. */
export function pairedSection(table: ResultTable): string[] {
  const tables = table.datasets.flatMap(({ name }) =>
    table.metrics.flatMap((metric) => tableOf(table, { metric, dataset: name }))
  );
  if (tables.length === 0) return [];
  // The first score of a data set stands open, the others where a reader asks.
  const shown = tables.map((block, i) => {
    const html = blockHtml(block, { mirror: false });
    return i === 0 ? html : detailsHtml(block.caption, [html]);
  });
  return [
    `<h2 id="paired-comparisons">Paired comparisons</h2>`,
    `<p class="note">${NOTE}</p>`,
    ...shown,
  ];
}

function tableOf(
  table: ResultTable,
  { metric, dataset }: { readonly metric: MetricName; readonly dataset: string },
): Extract<Block, { readonly kind: "table" }>[] {
  const scored = table.rows.flatMap((row) =>
    row.scores.filter((cell) =>
      cell.metric === metric.name && cell.dataset === dataset && cell.values.length > 0
    ).map((cell) => ({ row, cell }))
  );
  const pairs = new Set<number>();
  const rows = scored.map(({ row, cell }) => [
    nameOf(row),
    ...scored.map((other): Cell => {
      if (other.cell === cell) return "";
      const found = pairedDifference(cell.values, other.cell.values);
      if (found === null) return NONE;
      pairs.add(found.n);
      const { mean, std, interval, finding, isWeak, n } = found;
      const word = isWeak && finding !== "unclear" ? `${finding}, weak` : finding;
      return {
        text: formatMeanStd(mean, std).replace(/^-/, "−"),
        more: interval === null || std === null
          ? [`n = ${n}: no interval`]
          : [formatInterval(interval, std).replaceAll("-", "−"), word],
      };
    }),
  ]);
  if (pairs.size === 0) return [];
  const counts = [...pairs].toSorted((a, b) => a - b).join(" or ");
  return [{
    kind: "table",
    caption: `${
      datasetLabel(table, dataset)
    }, ${metric.label} (${metric.better} is better): row minus column, n = ${counts}`,
    head: ["Method", ...scored.map(({ row }) => `− ${nameOf(row)}`)],
    rows,
  }];
}
