import { type Block, formatSeeds, nameOf, NONE } from "../document/block.ts";
import type { ResultTable } from "../document/result_table.ts";

/** How well test images are reconstructed from draws of their posteriors. */
export function reconstructionBlocks({ rows, datasets }: ResultTable): Block[] {
  const shown = datasets.filter(({ name }) =>
    rows.some(({ reconstructions }) =>
      reconstructions.some(({ dataset, n }) => dataset === name && n > 0)
    )
  );
  if (shown.length === 0) return [];
  const body = rows.map((row) => [
    nameOf(row),
    ...shown.map(({ name }) => {
      const cell = row.reconstructions.find(({ dataset }) => dataset === name);
      return cell === undefined ? NONE : formatSeeds(cell);
    }),
  ]);
  const text =
    "Mean squared error per pixel of 50 test images in [0, 1], each reconstructed from one draw of its posterior; " +
    "mean ± sample standard deviation over n seeds. Each run's reconstructions.png shows them.";
  const dash = body.some((cells) => cells.includes(NONE))
    ? ` ${NONE}: not measured; the method has no latents to reconstruct from, or its records are older than ` +
      "this measurement."
    : "";
  return [
    { kind: "heading", text: "Reconstructions" },
    {
      kind: "table",
      caption: "Squared error of reconstructions",
      head: ["Method", ...shown.map(({ label }) => label)],
      rows: body,
    },
    { kind: "text", text: `${text}${dash}` },
  ];
}
