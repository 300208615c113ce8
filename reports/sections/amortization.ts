import { type Block, formatNumber, nameOf, NONE } from "../document/block.ts";
import type { ResultTable } from "../document/result_table.ts";

/** Diagnostics of chains that share weights. */
export function amortizationBlocks({ rows, datasets }: ResultTable): Block[] {
  const body = rows.flatMap((row) =>
    row.amortization.map(({ dataset, features, rank, leverage, varianceRatio, n, ...cell }) => [
      nameOf(row),
      datasets.find(({ name }) => name === dataset)?.label ?? dataset,
      `${n}`,
      `${Number.isInteger(rank) ? rank : formatNumber(rank)} of ${features}`,
      `${cell.rows}`,
      `${formatNumber(leverage.mean)} (${formatNumber(leverage.min)} to ${
        formatNumber(leverage.max)
      })`,
      varianceRatio === null
        ? `${NONE} (${cell.moves} moves)`
        : `${formatNumber(varianceRatio.mean)} (${cell.moves} moves${
          varianceRatio.n === n ? "" : `, n = ${varianceRatio.n}`
        })`,
    ])
  );
  if (body.length === 0) return [];
  const head = [
    "Method",
    "Data set",
    "n",
    "rank of features",
    "rows",
    "leverage (range)",
    "variance ratio",
  ];
  const text =
    "Diagnostics of amortized chains after training, means over n seeds. The leverage is the fraction of its " +
    "posterior's variance that a row's chain can reach at stationarity when it sees all rows; it is 1 for every row " +
    "only with as many independent features as rows. LAE's temperature multiplies it. The variance ratio is the " +
    "variance that the chains covered in the given number of moves with everything else fixed, over the variance of " +
    "independent Langevin chains. It is below the leverage where chains are slow, and above it where each move sees " +
    "only one minibatch, without the factor n / m.";
  return [
    { kind: "heading", text: "Diagnostics" },
    { kind: "table", caption: "Amortized chains", head, rows: body },
    { kind: "text", text },
  ];
}
