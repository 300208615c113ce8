import { type Block, formatSeeds, nameOf, NONE } from "../document/block.ts";
import type { ResultTable } from "../document/result_table.ts";

/** How well methods find the class that they were not trained on. */
export function anomalyBlocks({ rows, datasets }: ResultTable): Block[] {
  const shown = datasets.filter(({ name }) =>
    rows.some(({ anomaly }) => anomaly.some(({ dataset }) => dataset === name))
  );
  if (shown.length === 0) return [];
  const chances = shown.map(({ name }) =>
    rows.flatMap(({ anomaly }) => anomaly.filter(({ dataset }) => dataset === name))[0].chance
  );
  const means = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const several = shown.length > 1;
  const body = rows.map((row) => {
    const cells = shown.map(({ name }) => row.anomaly.find(({ dataset }) => dataset === name));
    const known = cells.flatMap((cell) => cell?.mean ?? []);
    return [
      nameOf(row),
      ...cells.map((cell) => cell === undefined ? NONE : formatSeeds(cell)),
      ...several ? [known.length === shown.length ? means(known).toFixed(3) : NONE] : [],
    ];
  });
  const chance = ["Chance", ...chances, ...several ? [means(chances)] : []].map((v) =>
    typeof v === "number" ? v.toFixed(3) : v
  );
  return [
    { kind: "heading", text: "Anomaly detection" },
    {
      kind: "table",
      caption: "Area under the precision-recall curve",
      head: ["Method", ...shown.map(({ label }) => label), ...several ? ["Mean"] : []],
      rows: [...body, chance],
    },
    {
      kind: "text",
      text:
        "A model is trained without one class; the test images of that class are ranked among all test images by " +
        "-log p(x, z) at one draw z of each posterior, higher first. Mean ± sample standard deviation over n seeds of the " +
        `average precision, higher is better. Chance: the share of the class. ${NONE}: the method has no joint density.`,
    },
  ];
}
