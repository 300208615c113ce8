import { type Block, formatNumber, formatSeeds, nameOf, NONE } from "../document/block.ts";
import type { MetricName, ResultTable, Row, ScoreCell } from "../document/result_table.ts";
import { WITHIN_DEVIATIONS } from "../published/protocol.ts";
import { comparisonNotes, formatComparison } from "./comparisons.ts";

const ARROW = { lower: "↓", higher: "↑" } as const;

const WITHIN =
  `Within: at most ${WITHIN_DEVIATIONS} combined standard deviations, sqrt(s² + s'²), from the published mean; ` +
  "outside: further away.";

interface Column {
  readonly head: string;
  readonly text: (cell: ScoreCell) => string;
  readonly metric: MetricName;
  readonly dataset: ResultTable["datasets"][number];
}

/** The table of the scores `metrics`, all rows, with what it takes to read it. */
export function scoreBlocks(table: ResultTable, metrics: readonly MetricName[]): Block[] {
  const { datasets, rows } = table;
  if (metrics.length === 0) return [];
  const columns = datasets.flatMap((dataset) =>
    metrics.flatMap((metric) => columnsOf(rows, { metric, dataset }))
  );
  const body = rows.map((row) => [
    nameOf(row),
    row.description,
    ...columns.map(({ metric, dataset, text }) => {
      const cell = row.scores.find((score) =>
        score.metric === metric.name && score.dataset === dataset.name
      );
      return cell === undefined ? NONE : text(cell);
    }),
  ]);
  const compared = rows.flatMap((row) =>
    row.scores.flatMap(({ metric, dataset, published }) => {
      const column = columns.find((column) =>
        column.metric.name === metric && column.dataset.name === dataset
      );
      if (column === undefined || published === null) return [];
      const place = `${column.dataset.label}, ${column.metric.label}`;
      return [{ name: nameOf(row), place, comparison: published }];
    })
  );
  const marks = metrics.map(({ label, better }) => `${label}: ${better} is better`).join("; ");
  const head = ["Method", "Description", ...columns.map(({ head }) => head)];
  const text = [
    `Mean ± sample standard deviation over n seeds. ${marks}.`,
    ...compared.some(({ comparison }) => comparison.distance !== null) ? [WITHIN] : [],
    ...body.some((cells) => cells.includes(NONE))
      ? [`${NONE}: not asked for, or not measured.`]
      : [],
  ];
  return [
    { kind: "table", head, rows: body },
    { kind: "text", text: text.join(" ") },
    ...comparisonNotes(compared),
  ];
}

/** The columns of one score on one data set: none where no row was asked for it. */
function columnsOf(
  rows: readonly Row[],
  { metric, dataset }: Pick<Column, "metric" | "dataset">,
): Column[] {
  const cells = rows.flatMap(({ scores }) => scores)
    .filter((cell) => cell.metric === metric.name && cell.dataset === dataset.name);
  if (cells.every((cell) => formatSeeds(cell) === NONE)) return [];
  const place = { metric, dataset };
  const head = `${dataset.label}: ${metric.label} ${ARROW[metric.better]}`;
  const columns: Column[] = [{ ...place, head, text: formatSeeds }];
  if (cells.some(({ untrained }) => untrained !== null)) {
    columns.push({ ...place, head: "untrained", text: formatUntrained });
  }
  const published = cells.find(({ published }) => published !== null)?.published;
  if (published) {
    columns.push({
      ...place,
      head: published.source.replace(/^the /, ""),
      text: (cell) => cell.published === null ? NONE : formatComparison(cell.published),
    });
  }
  return columns;
}

/** The mean score before training, with its seeds where they are not those of the score. */
function formatUntrained({ untrained, n }: ScoreCell): string {
  if (untrained === null) return NONE;
  const mean = formatNumber(untrained.mean);
  return untrained.n === n ? mean : `${mean} (n = ${untrained.n})`;
}
