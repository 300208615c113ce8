import { type Block, formatMeanStd } from "../document/block.ts";
import type { ResultTable } from "../document/result_table.ts";

/** Bits per dimension of test images under the samplers whose density is known. */
export function densityBlocks({ rows, datasets }: ResultTable): Block[] {
  const body = rows.flatMap(({ densities }) =>
    densities.map((cell) => [
      cell.label,
      datasets.find(({ name }) => name === cell.dataset)?.label ?? cell.dataset,
      `${formatMeanStd(cell.mean, cell.std)} (n = ${cell.n})`,
    ])
  );
  if (body.length === 0) return [];
  const text =
    "-log2 p(x) of the test images per dimension, exact but for the noise between their 256 levels, which is uniform or " +
    "learned: one draw of it an image, so that the mean bounds -log2 p(x) from above. A uniform distribution over the " +
    "levels has 8. Mean ± sample standard deviation over n seeds.";
  return [
    { kind: "heading", text: "Bits per dimension" },
    {
      kind: "table",
      caption: "Bits per dimension of samplers of known density",
      head: ["Sampler", "Data set", "bits/dim ↓"],
      rows: body,
    },
    { kind: "text", text },
  ];
}
