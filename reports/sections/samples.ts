/**
 * Marks, real images and predicted classes beside the scores of samples, for scores of a family.
 *
 * @module
 */
import { type Block, type Cell, formatNumber, nameOf, NONE } from "../document/block.ts";
import type { MetricName, ResultTable, Row, SampleCell } from "../document/result_table.ts";

/** The columns of marks: one for each family and data set with a mark in any row. */
export function markColumns(
  { rows, datasets }: ResultTable,
  metrics: readonly MetricName[],
): { readonly head: string; readonly text: (row: Row) => string }[] {
  const families = familiesOf(metrics);
  return datasets.flatMap(({ name, label }) =>
    families.flatMap((family) => {
      const cellOf = (row: Row) =>
        row.samples.find((cell) => cell.dataset === name && cell.family === family);
      if (rows.every((row) => (cellOf(row)?.marks ?? []).length === 0)) return [];
      const head = datasets.length > 1 ? `${label}: samples` : "samples";
      return [{ head, text: (row: Row) => formatMarks(cellOf(row)) }];
    })
  );
}

/** `collapsed (2 of 3), unlike real images`; a dash without a mark. */
function formatMarks(cell: SampleCell | undefined): string {
  if (cell === undefined || cell.marks.length === 0) return NONE;
  return cell.marks.map(({ mark, seeds }) =>
    seeds.length === cell.n ? mark : `${mark} (${seeds.length} of ${cell.n})`
  ).join(", ");
}

/** Notes on the samples that are marked. */
export function markNotes(
  { rows, datasets }: ResultTable,
  metrics: readonly MetricName[],
): Block[] {
  const families = familiesOf(metrics);
  const items = rows.flatMap((row) =>
    row.samples.filter(({ family }) => families.includes(family))
      .flatMap(({ dataset, marks }) =>
        marks.map(({ mark, seeds }) => {
          const label = datasets.find(({ name }) => name === dataset)?.label ?? dataset;
          const seen = seeds.map(({ seed, seen }) => `seed ${seed}: ${seen}`).join("; ");
          return `${nameOf(row)}, ${label}, ${mark}: ${seen}.`;
        })
      )
  );
  return items.length === 0 ? [] : [{ kind: "list", items }];
}

/** How to read the row of real images, and the errors and expectations of scores. */
export function realNotes(
  { rows, real, datasets }: ResultTable,
  metrics: readonly MetricName[],
): string[] {
  const shown = real.filter(({ family }) => metrics.some((metric) => metric.family === family));
  if (shown.length === 0) return [];
  const laws = shown.flatMap(({ dataset, count, expected }) =>
    metrics.filter(({ name }) => expected[name] !== undefined).map(({ name, label }) => {
      const place = datasets.length > 1 ? ` on ${dataset}` : "";
      return `${label} ${formatNumber(expected[name])} for ${count} images${place}`;
    })
  );
  const errors = metrics.flatMap(({ name, label }) => {
    const values = rows.flatMap(({ samples }) =>
      samples.flatMap(({ standardErrors }) => standardErrors[name] ?? [])
    );
    return values.length === 0 ? [] : [`${label} ${Math.max(...values).toPrecision(2)}`];
  });
  const marks = rows.some(({ samples }) => samples.some(({ marks }) => marks.length > 0))
    ? []
    : ["No samples are marked as collapsed, too alike or unlike real images."];
  return [
    "Real images: as many as there are samples, from the part that scores do not compare with, drawn anew for each seed; " +
    "what samples of a perfect model would score.",
    ...laws.length === 0 ? [] : [`Equal distributions have on average: ${laws.join(", ")}.`],
    ...errors.length === 0
      ? []
      : [`Standard errors over the images of one seed, at most: ${errors.join(", ")}.`],
    ...marks,
  ];
}

/** The classes that a classifier predicts for the samples of each row, a table for each data set and family. */
export function classBlocks({ rows, real, datasets }: ResultTable): Block[] {
  const places = datasets.flatMap(({ name, label }) =>
    [...new Set(real.filter(({ dataset }) => dataset === name).map(({ family }) => family))]
      .map((family) => ({ dataset: name, label, family }))
  );
  const tables = places.flatMap(({ dataset, label, family }): Block[] => {
    const isHere = (cell: { readonly dataset: string; readonly family: string }) =>
      cell.dataset === dataset && cell.family === family;
    const lines = [
      ...rows.flatMap((row) =>
        row.samples.filter(isHere).map(({ classes }) => ({ name: nameOf(row), classes }))
      ),
      ...real.filter(isHere).map(({ classes, count }) => ({
        name: `Real images (${count})`,
        classes,
      })),
    ].filter(({ classes }) => Object.keys(classes).length > 0);
    if (lines.length === 0) return [];
    const names = Object.keys(lines[0].classes);
    return [{
      kind: "table",
      caption: `Predicted classes, ${label}, percent`,
      head: [label, ...names],
      rows: lines.map(({ name, classes }): readonly Cell[] => [
        name,
        ...names.map((name) => {
          const share = classes[name] ?? 0;
          return { text: `${Math.round(100 * share)}`, shade: share };
        }),
      ]),
    }];
  });
  if (tables.length === 0) return [];
  const text =
    "Share of the samples of all seeds, in percent, that the classifier takes for each class. It knows no class of things that " +
    "are none of them, so samples unlike real images are given one all the same.";
  return [{ kind: "heading", text: "Predicted classes" }, ...tables, { kind: "text", text }];
}

function familiesOf(metrics: readonly MetricName[]): string[] {
  return [...new Set(metrics.flatMap(({ family }) => family ?? []))];
}
