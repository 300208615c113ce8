import { type Block, formatMeanStd, nameOf, NONE } from "../document/block.ts";
import type { ResultTable } from "../document/result_table.ts";

/** How well test images are made from draws of their posteriors. */
export function reconstructionBlocks({ rows, datasets }: ResultTable): Block[] {
  const shown = datasets.filter(({ name }) =>
    rows.some(({ reconstructions }) => reconstructions.some(({ dataset }) => dataset === name))
  );
  if (shown.length === 0) return [];
  const body = rows.filter(({ reconstructions }) => reconstructions.length > 0).map((row) => [
    nameOf(row),
    ...shown.map(({ name }) => {
      const cell = row.reconstructions.find(({ dataset }) => dataset === name);
      return cell === undefined ? NONE : `${formatMeanStd(cell.mean, cell.std)} (n = ${cell.n})`;
    }),
  ]);
  const text =
    "Mean squared error per pixel of 50 test images in [0, 1], each made from one draw of its posterior, mean ± " +
    "standard deviation over seeds; reconstructions.png of each run shows them.";
  return [
    { kind: "heading", text: "Reconstructions" },
    { kind: "table", head: ["Method", ...shown.map(({ label }) => label)], rows: body },
    { kind: "text", text },
  ];
}
