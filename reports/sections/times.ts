import { type Block, formatNumber, nameOf, NONE, type RichCell } from "../document/block.ts";
import type { Comparison, RatioCell, ResultTable } from "../document/result_table.ts";
import { comparisonNotes, describeComparison, formatComparison } from "./comparisons.ts";

/** Seconds per epoch, and the published ratios. */
export function timeBlocks(table: ResultTable): Block[] {
  const { rows } = table;
  if (rows.length === 0) return [];
  const heading: Block = { kind: "heading", text: "Seconds per epoch" };
  if (rows.every(({ times }) => times.length === 0)) {
    const text =
      "None: the first epoch of each process is a warm-up, so times need --epochs 2 or more.";
    return [heading, { kind: "text", text }];
  }
  return [heading, ...secondsBlocks(table), ...ratioBlocks(table)];
}

/** The machines of the times, numbered where there are several. */
function machinesOf({ rows }: ResultTable): string[] {
  return [...new Set(rows.flatMap(({ times }) => times.map(({ machine }) => machine)))];
}

function secondsBlocks(table: ResultTable): Block[] {
  const { datasets, rows } = table;
  const machines = machinesOf(table);
  const timed = datasets.filter(({ name }) =>
    rows.some(({ times }) => times.some(({ dataset }) => dataset === name))
  ).map((dataset) => ({
    ...dataset,
    published: rows.some(({ times }) =>
      times.some((time) => time.dataset === dataset.name && time.published !== null)
    ),
  }));
  const body = rows.flatMap((row) => {
    const own = machines.filter((machine) => row.times.some((time) => time.machine === machine));
    return (own.length > 0 ? own : [null]).map((machine) => [
      nameOf(row),
      ...machines.length > 1 ? [machine === null ? NONE : numberOf(machine, machines)] : [],
      ...timed.flatMap(({ name, published }) => {
        const time = row.times.find((time) => time.dataset === name && time.machine === machine);
        const compared = time?.published ? comparedCell(time.published) : NONE;
        if (time === undefined) return [NONE, ...published ? [NONE] : []];
        const [median, min, max] = [time.median, time.min, time.max].map(formatNumber);
        const text = `${median} (${min} to ${max}; n = ${time.n}${time.busy ? "; busy" : ""})`;
        return [text, ...published ? [compared] : []];
      }),
    ]);
  });
  const head = [
    "Method",
    ...machines.length > 1 ? ["machine"] : [],
    ...timed.flatMap(({ label, published }) => [label, ...published ? ["paper"] : []]),
  ];
  const compared = rows.flatMap((row) =>
    row.times.flatMap(({ dataset, published }) => {
      const place = datasets.find(({ name }) => name === dataset)?.label ?? dataset;
      return published === null ? [] : [{ name: nameOf(row), place, comparison: published }];
    })
  );
  const text =
    "Median (range) over n epochs of all seeds; the first epoch of each process is a warm-up and not counted. " +
    "Sampling, scoring, compilation and checkpoints are timed separately." +
    (rows.some(({ times }) => times.some(({ busy }) => busy))
      ? " Busy: the slowest epoch took more than 1.3 times the fastest, so other programs shared the machine; no ratio is " +
        "formed from such times."
      : "");
  const keys = machines.map((machine, i) => `Machine ${i + 1}: ${machine}`);
  return [
    { kind: "table", caption: "Seconds per epoch", head, rows: body },
    { kind: "text", text },
    ...machines.length > 1 ? [{ kind: "list", items: keys } as const] : [],
    ...comparisonNotes(compared),
  ];
}

function comparedCell(comparison: Comparison): RichCell {
  return { text: formatComparison(comparison), ...describeComparison(comparison) };
}

function numberOf(machine: string, machines: readonly string[]): string {
  return `${machines.indexOf(machine) + 1}`;
}

function ratioBlocks(table: ResultTable): Block[] {
  const { datasets, rows, ratios } = table;
  if (ratios.length === 0) return [];
  const machines = machinesOf(table);
  const nameBy = (key: string) => {
    const row = rows.find((row) => row.key === key);
    return row === undefined ? key : nameOf(row);
  };
  const labelOf = (dataset: string) =>
    datasets.find(({ name }) => name === dataset)?.label ?? dataset;
  const ratioName = ({ numerator, denominator }: RatioCell) =>
    `${nameBy(numerator)} / ${nameBy(denominator)}`;
  const body = ratios.map((cell) => [
    ratioName(cell),
    labelOf(cell.dataset),
    ...machines.length > 1 ? [cell.machine === null ? NONE : numberOf(cell.machine, machines)] : [],
    formatRatio(cell),
    comparedCell(cell.published),
  ]);
  const compared = ratios.map((cell) => ({
    name: `${ratioName(cell)}, ${cell.published.printed} there`,
    place: labelOf(cell.dataset),
    comparison: cell.published,
  }));
  const shortened = ratios.some(({ caveats }) => caveats.length > 0)
    ? " The time of an epoch grows with the length of its chains, and the ratio with it."
    : "";
  const text =
    "Ratios of median seconds per epoch (range over runs) on one machine, between rows that are alike in all but the " +
    "method; the number of epochs, Langevin step sizes and sigma do not count. Within: the paper's ratio lies in the range." +
    shortened;
  return [
    {
      kind: "table",
      caption: "Ratios of seconds per epoch",
      head: ["Ratio", "Data set", ...machines.length > 1 ? ["machine"] : [], "here", "paper"],
      rows: body,
    },
    { kind: "text", text },
    ...comparisonNotes(compared),
  ];
}

/** `2.50 (2.10 to 2.90)`, with the chain lengths where they are not the published ones; or a dash and why. */
export function formatRatio({ ratio, range, reasons, caveats }: RatioCell): string {
  if (ratio === null) return `${NONE}: ${reasons.join(", ")}`;
  const spread = range === null ? "" : ` (${range.map((x) => x.toFixed(2)).join(" to ")})`;
  const text = `${ratio.toFixed(2)}${spread}`;
  return caveats.length === 0 ? text : `${text} at ${caveats.join(", ")}`;
}
