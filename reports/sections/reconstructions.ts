import { type Block, formatSeeds, nameOf, NONE } from "../document/block.ts";
import type { ResultTable, Row } from "../document/result_table.ts";

const FITTED =
  " Fitted: from the latents that the method fits to each image, for instance by long chains without noise; of CoopFlow the " +
  "end of a chain whose start, of as many numbers as the image, is fitted.";

/** How well test images are reconstructed from draws of their posteriors. */
export function reconstructionBlocks({ rows, datasets }: ResultTable): Block[] {
  const shown = datasets.filter(({ name }) =>
    rows.some(({ reconstructions, fits }) =>
      [...reconstructions, ...fits].some(({ dataset, n }) => dataset === name && n > 0)
    )
  );
  if (shown.length === 0) return [];
  const fitted = shown.filter(({ name }) =>
    rows.some(({ fits }) => fits.some(({ dataset, n }) => dataset === name && n > 0))
  );
  const cellOf = (cells: Row["fits"], name: string) => {
    const cell = cells.find(({ dataset }) => dataset === name);
    return cell === undefined ? NONE : formatSeeds(cell);
  };
  const body = rows.map((row) => [
    nameOf(row),
    ...shown.map(({ name }) => cellOf(row.reconstructions, name)),
    ...fitted.map(({ name }) => cellOf(row.fits, name)),
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
      head: [
        "Method",
        ...shown.map(({ label }) => label),
        ...fitted.map(({ label }) => `${label}, fitted`),
      ],
      rows: body,
    },
    { kind: "text", text: `${text}${fitted.length > 0 ? FITTED : ""}${dash}` },
  ];
}
