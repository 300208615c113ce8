import type { RunRecord } from "../../harness/core/records.ts";
import { nameOf } from "../document/block.ts";
import { chartsHtml } from "../page/chart.ts";
import { datasetLabel, type FigureData } from "../page/content.ts";
import { type Curve, curveChart } from "../page/curves.ts";
import { escapeHtml } from "../page/html.ts";

/** A quantity that is drawn by epoch. */
interface Quantity {
  readonly name: string;
  /** Whether its values are of one kind in all methods, so that all charts share an axis. */
  readonly isShared: boolean;
  /** Whether one value is enough for a chart. */
  readonly valueOf: (epoch: RunRecord["epochs"][number]) => number | undefined;
  /** Before the first epoch, and after the last one, where that is not in its record. */
  readonly endsOf?: (
    run: RunRecord,
  ) => { readonly before?: number; readonly after?: number };
}

const NOTE =
  "Means over the steps of each epoch. A thin line is a seed, the thick line the mean over seeds, a cross the last epoch of a " +
  "run that diverged, failed or was interrupted. Losses are of different kinds: compare their course, not their values.";

/** Learning curves of every method, as HTML; empty without epochs. */
export function learningCurves(data: FigureData): string[] {
  const { table, rows } = data;
  const quantities: readonly Quantity[] = [
    { name: "loss", isShared: false, valueOf: ({ metrics }) => metrics.loss },
    {
      name: "squared error of training images, per pixel",
      isShared: true,
      valueOf: ({ metrics }) => metrics.squaredError,
    },
    ...table.metrics.map(({ name, label }): Quantity => ({
      name: `${label} of samples`,
      isShared: true,
      valueOf: ({ scores }) => scores?.[name],
      endsOf: (run) =>
        run.epochs.some(({ scores }) => scores?.[name] !== undefined) && run.status === "completed"
          ? { before: run.untrained[name], after: run.scores[name] }
          : {},
    })),
  ];
  const parts = table.datasets.flatMap(({ name: dataset }) =>
    quantities.flatMap((quantity) => {
      const methods = rows.map(({ row, records }) => ({
        title: nameOf(row),
        curves: records.filter(({ spec }) => spec.dataset === dataset)
          .map((run) => curveOf(run, quantity)).filter(({ points }) => points.length > 0),
      })).filter(({ curves }) => curves.length > 0);
      if (methods.length === 0) return [];
      const values = methods.flatMap(({ curves }) =>
        curves.flatMap(({ points }) => points.map(({ value }) => value))
      );
      const domain = quantity.isShared
        ? [Math.min(0, ...values), Math.max(...values)] as const
        : undefined;
      const charts = methods.map(({ title, curves }) =>
        curveChart(title, { curves, label: quantity.name, domain })
      );
      const heading = `${datasetLabel(table, dataset)}: ${quantity.name}`;
      return [`<h3>${escapeHtml(heading)}</h3>`, chartsHtml(charts)];
    })
  );
  if (parts.length === 0) return [];
  return [`<h2 id="learning-curves">Learning curves</h2>`, `<p class="note">${NOTE}</p>`, ...parts];
}

function curveOf(run: RunRecord, { valueOf, endsOf }: Quantity): Curve {
  const { before, after } = endsOf?.(run) ?? {};
  const point = (epoch: number, value: number | undefined) =>
    value === undefined || !Number.isFinite(value) ? [] : [{ epoch, value }];
  const points = [
    ...point(0, before),
    ...run.epochs.flatMap((record) => point(record.epoch + 1, valueOf(record))),
    ...point(run.epochs.length, after),
  ];
  const ended = run.status === "completed"
    ? {}
    : { ended: `${run.status} after ${run.epochs.length} epochs` };
  return { seed: run.spec.seed, points, ...ended };
}
