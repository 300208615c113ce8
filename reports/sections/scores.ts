import { type Block, formatMeanStd, formatNumber, nameOf, NONE } from "../document/block.ts";
import type { MetricName, ResultTable, ScoreCell } from "../document/result_table.ts";

const ARROW = { lower: "↓", higher: "↑" } as const;

/** `45.2 ± 1.3 (n = 3)`, and of how many seeds where some were lost. */
export function formatScore({ mean, std, n, lost }: ScoreCell): string {
  const asked = n + lost.length;
  const count = lost.length === 0 ? `n = ${n}` : `n = ${n} of ${asked}`;
  if (mean === null) return lost.length === 0 ? NONE : `${NONE} (${count})`;
  return `${formatMeanStd(mean, std)} (${count})`;
}

interface Column {
  readonly head: string;
  readonly text: (cell: ScoreCell | undefined) => string;
  readonly metric: string;
  readonly dataset: string;
}

/** The table of the scores `metrics`; of bounds on the likelihood only the rows that have one. */
export function scoreBlocks(
  { datasets, rows }: ResultTable,
  metrics: readonly MetricName[],
): Block[] {
  if (metrics.length === 0) return [];
  const cells = rows.flatMap(({ scores }) => scores);
  const columns = datasets.flatMap((dataset) =>
    metrics.flatMap(({ name: metric, label, better }): Column[] => {
      const own = cells.filter((cell) => cell.metric === metric && cell.dataset === dataset.name);
      if (own.every(({ n, lost }) => n + lost.length === 0)) return [];
      const place = { metric, dataset: dataset.name };
      const head = `${dataset.label}: ${label} ${ARROW[better]}`;
      const columns: Column[] = [{
        ...place,
        head,
        text: (cell) => cell === undefined ? NONE : formatScore(cell),
      }];
      if (own.some(({ untrained }) => untrained !== null)) {
        columns.push({
          ...place,
          head: "untrained",
          text: (cell) => cell?.untrained == null ? NONE : formatNumber(cell.untrained),
        });
      }
      if (own.some(({ paper }) => paper !== null)) {
        columns.push({
          ...place,
          head: "paper",
          text: (cell) => cell?.paper == null ? NONE : `${cell.paper.mean} ± ${cell.paper.std}`,
        });
      }
      return columns;
    })
  );
  const asked = new Set(columns.map(({ metric }) => metric));
  const shown = rows.filter(({ scores }) =>
    scores.some(({ metric, n, lost }) => asked.has(metric) && n + lost.length > 0)
  );
  const body = shown.map((row) => [
    nameOf(row),
    row.description,
    ...columns.map(({ metric, dataset, text }) =>
      text(row.scores.find((cell) => cell.metric === metric && cell.dataset === dataset))
    ),
  ]);
  const marks = metrics.map(({ label, better }) => `${label}: ${better} is better`).join("; ");
  const head = ["Method", "Description", ...columns.map(({ head }) => head)];
  const text = `Mean ± standard deviation of the sample over n seeds. ${marks}.`;
  return [{ kind: "table", head, rows: body }, { kind: "text", text }];
}

/** Seeds without a score, and why. */
export function lostBlocks({ rows, datasets }: ResultTable): Block[] {
  const items = rows.flatMap((row) =>
    row.scores.flatMap(({ dataset, metric, lost }) =>
      lost.map(({ seed, why }) => {
        const label = datasets.find(({ name }) => name === dataset)?.label ?? dataset;
        return `${nameOf(row)}, ${label}, ${metric}, seed ${seed}: ${why}`;
      })
    )
  );
  if (items.length === 0) return [];
  return [{ kind: "heading", text: "Lost seeds" }, { kind: "list", items }];
}
