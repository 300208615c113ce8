import { type Block, formatNumber, nameOf, NONE } from "../document/block.ts";
import type { ResultTable } from "../document/result_table.ts";

/** Diagnostics of chains that share weights. */
export function freedomBlocks({ rows, datasets }: ResultTable): Block[] {
  const body = rows.flatMap((row) =>
    row.freedom.map(({ dataset, features, rank, leverage, varianceRatio, ...cell }) => [
      nameOf(row),
      datasets.find(({ name }) => name === dataset)?.label ?? dataset,
      `${formatNumber(rank)} of ${features}`,
      `${cell.rows}`,
      `${formatNumber(leverage.mean)} (${formatNumber(leverage.min)} to ${
        formatNumber(leverage.max)
      })`,
      `${varianceRatio === null ? NONE : formatNumber(varianceRatio)} (${cell.moves} moves)`,
    ])
  );
  if (body.length === 0) return [];
  const head = [
    "Method",
    "Data set",
    "rank of features",
    "rows",
    "leverage (range)",
    "variance ratio",
  ];
  const text =
    "Diagnostics of amortized chains after training, mean over seeds. The leverage is the share of its " +
    "posterior's variance that a row's chain can reach at stationarity when it sees all rows; 1 for all only with " +
    "as many independent features as rows. The variance ratio is what chains covered in so many moves with all " +
    "else at rest, over the variance of free Langevin chains: below the leverage where chains are slow, above " +
    "it where each move sees one minibatch only, without the factor n / m.";
  return [
    { kind: "heading", text: "Diagnostics" },
    { kind: "table", head, rows: body },
    { kind: "text", text },
  ];
}
