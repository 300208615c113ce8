import { type Block, formatNumber, nameOf, NONE } from "../document/block.ts";
import { PAPER_EPOCH_SECONDS } from "../published/paper.ts";
import type { ResultTable } from "../document/result_table.ts";

/** Seconds of an epoch, and the paper's ratios. */
export function timeBlocks({ datasets, rows, ratios }: ResultTable): Block[] {
  const timed = datasets.filter(({ name }) =>
    rows.some(({ times }) => times.some(({ dataset }) => dataset === name))
  );
  if (timed.length === 0) {
    if (rows.length === 0) return [];
    const text = "None: the first epoch of a process is a warm-up; times take --epochs 2 or more.";
    return [{ kind: "heading", text: "Seconds per epoch" }, { kind: "text", text }];
  }
  const head = ["Method", ...timed.map(({ label }) => label), "paper, CIFAR-10"];
  const body = rows.map((row) => [
    nameOf(row),
    ...timed.map(({ name }) => {
      const time = row.times.find(({ dataset }) => dataset === name);
      if (time === undefined) return NONE;
      const [median, min, max] = [time.median, time.min, time.max].map(formatNumber);
      return `${median} (${min} to ${max})`;
    }),
    row.variant === "" ? PAPER_EPOCH_SECONDS[row.method]?.toFixed(2) ?? NONE : NONE,
  ]);
  const labelOf = (method: string) =>
    rows.find((row) => row.method === method)?.label ?? method.toUpperCase();
  const names = [
    ...new Set(ratios.map((r) => `${labelOf(r.numerator)} / ${labelOf(r.denominator)}`)),
  ];
  const ratioRows = names.map((name) => {
    const own = ratios.filter((r) =>
      `${labelOf(r.numerator)} / ${labelOf(r.denominator)}` === name
    );
    const cells = timed.map((dataset) => {
      const ratio = own.find((r) => r.dataset === dataset.name)?.ratio ?? null;
      return ratio === null ? NONE : ratio.toFixed(2);
    });
    return [name, ...cells, own[0].paper.toFixed(2)];
  });
  const text =
    "Median (range) over the epochs of all seeds; the first epoch of each process is a warm-up and not " +
    "counted. Sampling, scoring, compilation and checkpoints are on other clocks. Ratios are of medians, " +
    "within one machine. The paper's hardware is not known, and its data set and nets may be larger.";
  return [
    { kind: "heading", text: "Seconds per epoch" },
    { kind: "table", head, rows: [...body, ...ratioRows] },
    { kind: "text", text },
  ];
}
