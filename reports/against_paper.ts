/** Results against published ones. @module */
import { type Block, formatMeanStd, formatNumber, nameOf, NONE } from "./document/block.ts";
import type { ResultTable, Row, ScoreCell } from "./document/result_table.ts";
import { datasetLabel } from "./page/content.ts";
import { describeComparison } from "./sections/comparisons.ts";

/** The scores and times of `table` against the published ones, seed by seed. */
export function againstPaper(table: ResultTable): Block[] {
  const heading: Block = { kind: "heading", text: "Against published numbers" };
  const cells = table.rows.flatMap((row) =>
    row.scores.filter(({ published }) => published !== null).map((cell) => ({ row, cell }))
  );
  const rows = cells.flatMap(({ row, cell }) => scoreRows(row, { cell, table }));
  const times = table.rows.flatMap((row) =>
    row.times.flatMap(({ dataset, median, published }) =>
      published === null ? [] : [[
        nameOf(row),
        datasetLabel(table, dataset),
        formatNumber(median),
        published.printed,
        `${published.verdict}: ${published.reasons.join(", ")}`,
      ]]
    )
  );
  if (rows.length + times.length === 0) {
    const text =
      "No published number is of a method, a data set and a score of this table. Published ratios of seconds per epoch stand " +
      "beside the times.";
    return [heading, { kind: "text", text }];
  }
  const text =
    "Seed by seed, and the means. Differences of seeds are in published standard deviations, those of means in combined ones, " +
    "sqrt(s² + s'²). A published number is of other hardware, which its source does not state: seconds are never comparable.";
  const head = [
    "Method",
    "Data set",
    "Score",
    "Seed",
    "Here",
    "Published",
    "Difference",
    "Verdict",
  ];
  return [
    heading,
    { kind: "text", text },
    ...rows.length === 0
      ? []
      : [{ kind: "table", caption: "Scores and published scores", head, rows } as const],
    ...times.length === 0 ? [] : [
      {
        kind: "table",
        caption: "Seconds per epoch and published seconds",
        head: ["Method", "Data set", "Here", "Published", "Verdict"],
        rows: times,
      } as const,
    ],
  ];
}

function scoreRows(
  row: Row,
  { cell, table }: { readonly cell: ScoreCell; readonly table: ResultTable },
): string[][] {
  const { published, mean, std, n } = cell;
  if (published === null) return [];
  const place = [
    nameOf(row),
    datasetLabel(table, cell.dataset),
    table.metrics.find(({ name }) => name === cell.metric)?.label ?? cell.metric,
  ];
  const isComparable = published.verdict !== "not comparable";
  const [theirs, spread] = published.printed.split(" ± ").map(Number);
  const seeds = cell.values.map(({ seed, value }) => [
    ...place,
    `${seed}`,
    formatNumber(value),
    published.printed,
    isComparable && spread > 0 ? `${((value - theirs) / spread).toFixed(2)} std` : NONE,
    NONE,
  ]);
  const word = isComparable
    ? published.verdict
    : `${published.verdict}: ${published.reasons.join(", ")}`;
  const overall = [
    ...place,
    `all (n = ${n})`,
    mean === null ? NONE : formatMeanStd(mean, std),
    published.printed,
    isComparable ? describeComparison(published).more?.[0] ?? NONE : NONE,
    word,
  ];
  return [...seeds, overall];
}
