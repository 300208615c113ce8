import { studentInterval } from "../../harness/statistics/student.ts";
import {
  type Block,
  type Cell,
  formatInterval,
  formatMeanStd,
  formatNumber,
  formatSeeds,
  isOfMixedCode,
  MIXED_CODE,
  nameOf,
  NONE,
  type RichCell,
  textOf,
} from "../document/block.ts";
import type {
  MetricName,
  RealCell,
  ResultTable,
  Row,
  ScoreCell,
  Spread,
} from "../document/result_table.ts";
import { markColumns, markNotes, realNotes } from "./samples.ts";
import { WITHIN_DEVIATIONS } from "../published/protocol.ts";
import { chainMark, chainNotes } from "./chain_health.ts";
import { comparisonNotes, describeComparison, formatComparison } from "./comparisons.ts";

const ARROW = { lower: "↓", higher: "↑" } as const;

/** Marks samples that score better than decoded encodings. */
const MARK = "†";

const DECODED_HEAD = "decoded encodings";

const DECODED =
  "Decoded encodings: the score of as many training images, each encoded by one draw of its posterior and decoded. Samples " +
  "of a prior that matches the encodings exactly would score the same.";

const MARKED =
  `${MARK}: better than the decoded encodings. Such samples decode latents unlike those that the decoder was trained on, ` +
  "and a score may reward their texture: look at the pictures.";

const MIXED =
  `${MIXED_CODE}: the seeds ran different code, so that their mean, and every other mean of the row, is not of one method.`;

const WITHIN =
  `Within: at most ${WITHIN_DEVIATIONS} combined standard deviations, sqrt(s² + s'²), from the published mean; ` +
  "outside: further away.";

interface Column {
  readonly head: string;
  readonly metric: MetricName;
  readonly dataset: ResultTable["datasets"][number];
  readonly text: (cell: ScoreCell) => string;
  /** Parts that only HTML shows. */
  readonly rich?: (cell: ScoreCell) => Omit<RichCell, "text">;
  /** The cell in the row of real images; a dash if absent. */
  readonly real?: (cell: RealCell) => string;
}

/** The table of the scores `metrics`, all rows, with what it takes to read it. */
export function scoreBlocks(table: ResultTable, metrics: readonly MetricName[]): Block[] {
  const { datasets, rows, real } = table;
  if (metrics.length === 0) return [];
  const columns = datasets.flatMap((dataset) =>
    metrics.flatMap((metric) => columnsOf(rows, { metric, dataset, isBeside: isBeside(metric) }))
  );
  /** A score whose family has columns already stands beside them. */
  function isBeside({ name, family }: MetricName): boolean {
    return family !== undefined &&
      metrics.find((metric) => metric.family === family)?.name !== name;
  }
  const marks = markColumns(table, metrics);
  const ofSamples = rows.map((row) => [
    `${nameOf(row)}${chainMark(row)}`,
    row.description,
    ...columns.map(({ metric, dataset, text, rich }): Cell => {
      const cell = row.scores.find((score) =>
        score.metric === metric.name && score.dataset === dataset.name
      );
      return cell === undefined ? NONE : { text: text(cell), ...rich?.(cell) };
    }),
    ...marks.map(({ text }) => text(row)),
  ]);
  const shown = real.filter(({ family }) => metrics.some((metric) => metric.family === family));
  const ofReal = [...Map.groupBy(shown, ({ count }) => count)].map(([count, cells]) => [
    "Real images",
    `${count} images`,
    ...columns.map(({ metric, dataset, real }) => {
      const cell = cells.find((cell) =>
        cell.family === metric.family && cell.dataset === dataset.name
      );
      return cell === undefined ? NONE : real?.(cell) ?? NONE;
    }),
    ...marks.map(() => NONE),
  ]);
  const body: readonly (readonly Cell[])[] = [...ofSamples, ...ofReal];
  const texts = body.flat().map(textOf);
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
  const better = metrics.map(({ label, better }) => `${label}: ${better} is better`).join("; ");
  const head = ["Method", "Description", ...[...columns, ...marks].map(({ head }) => head)];
  const text = [
    `Mean ± sample standard deviation over n seeds. ${better}.`,
    ...columns.some(({ head }) => head === DECODED_HEAD) ? [DECODED] : [],
    ...texts.some((text) => text.endsWith(MARK)) ? [MARKED] : [],
    ...texts.some((text) => text.includes(MIXED_CODE)) ? [MIXED] : [],
    ...realNotes(table, metrics),
    ...compared.some(({ comparison }) => comparison.distance !== null) ? [WITHIN] : [],
    ...texts.includes(NONE) ? [`${NONE}: not asked for, or not measured.`] : [],
  ];
  return [
    { kind: "table", caption: captionOf(metrics), head, rows: body },
    { kind: "text", text: text.join(" ") },
    ...markNotes(table, metrics),
    ...chainNotes(table),
    ...comparisonNotes(compared),
  ];
}

/**
 * The columns of one score on one data set: none where no row was asked for it. A score that stands beside the first of its
 * family has one, with a short head and without what the first one's columns say already.
 */
function columnsOf(
  rows: readonly Row[],
  { metric, dataset, isBeside }: Pick<Column, "metric" | "dataset"> & {
    readonly isBeside: boolean;
  },
): Column[] {
  const cells = rows.flatMap(({ scores }) => scores)
    .filter((cell) => cell.metric === metric.name && cell.dataset === dataset.name);
  if (cells.every((cell) => formatSeeds(cell) === NONE)) return [];
  const arrow = ARROW[metric.better];
  const place = { metric, dataset };
  const real = ({ scores }: RealCell) => {
    const spread = scores[metric.name];
    if (spread === undefined) return NONE;
    const text = formatMeanStd(spread.mean, spread.std);
    return isBeside ? text : `${text} (n = ${spread.n})`;
  };
  if (isBeside) {
    const head = `${metric.label} ${arrow}`;
    return [{ ...place, head, text: formatBeside, rich: spreadLines, real }];
  }
  const isMarked = (cell: ScoreCell) => isBetterThanDecoded(cell, metric);
  const columns: Column[] = [{
    ...place,
    head: `${dataset.label}: ${metric.label} ${arrow}`,
    text: (cell) => `${formatSeeds(cell)}${isMarked(cell) ? ` ${MARK}` : ""}`,
    rich: spreadLines,
    real,
  }];
  if (cells.some(({ decoded }) => decoded !== null)) {
    columns.push({
      ...place,
      head: DECODED_HEAD,
      text: ({ decoded, n }) => formatSpread(decoded, n),
    });
  }
  if (cells.some(({ untrained }) => untrained !== null)) {
    columns.push({
      ...place,
      head: "untrained",
      text: ({ untrained, n }) => formatSpread(untrained, n),
    });
  }
  const published = cells.find(({ published }) => published !== null)?.published;
  if (published) {
    columns.push({
      ...place,
      head: published.source.replace(/^the /, ""),
      text: (cell) => cell.published === null ? NONE : formatComparison(cell.published),
      rich: ({ published }) => published === null ? {} : describeComparison(published),
    });
  }
  return columns;
}

/** A cell without its number of seeds, which stands beside it, unless seeds are lost. */
function formatBeside(cell: ScoreCell): string {
  const isWhole = cell.lost.length === 0 && (cell.missing?.length ?? 0) === 0;
  return isWhole && !isOfMixedCode(cell) && cell.mean !== null
    ? formatMeanStd(cell.mean, cell.std)
    : formatSeeds(cell);
}

/** The mean of `spread`, with its number of seeds where it is not the score's `n`. */
function formatSpread(spread: Spread | null, n: number): string {
  if (spread === null) return NONE;
  const mean = formatNumber(spread.mean);
  return spread.n === n ? mean : `${mean} (n = ${spread.n})`;
}

/** Whether samples score better than decoded encodings, in the mean over seeds. */
function isBetterThanDecoded(
  { mean, decoded }: ScoreCell,
  { better }: Pick<MetricName, "better">,
): boolean {
  if (mean === null || decoded === null) return false;
  return better === "lower" ? mean < decoded.mean : mean > decoded.mean;
}

/** Level of the intervals of means. */
const LEVEL = 0.95;

/** The interval of a mean, and the seeds that it lacks. */
function spreadLines({ mean, std, n, lost, missing }: ScoreCell): Omit<RichCell, "text"> {
  const interval = mean === null ? null : studentInterval({ mean, std, n }, LEVEL);
  return {
    more: [
      ...interval === null || std === null ? [] : [`95 %: ${formatInterval(interval, std)}`],
      ...lost.length === 0 ? [] : [`lost: ${namesOf(lost.map(({ seed }) => seed))}`],
      ...missing === null || missing.length === 0 ? [] : [`missing: ${namesOf(missing)}`],
    ],
  };
}

/** `seed 2`, or `seeds 1, 2`. */
function namesOf(seeds: readonly number[]): string {
  return `${seeds.length === 1 ? "seed" : "seeds"} ${seeds.join(", ")}`;
}

function captionOf(metrics: readonly MetricName[]): string {
  return metrics.some(({ importanceSamples }) => importanceSamples !== undefined)
    ? "Bounds on the likelihood, and the published ones"
    : "Scores of samples";
}
