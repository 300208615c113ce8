/**
 * Pictures of samples, reconstructions and interpolations, method by seed.
 *
 * @module
 */
import type { RunRecord } from "../../harness/core/records.ts";
import { formatNumber, nameOf } from "../document/block.ts";
import type { ResultTable, Row } from "../document/result_table.ts";
import { datasetLabel, type FigureData, type Picture, type Pictures } from "../page/content.ts";
import { escapeHtml } from "../page/html.ts";

/** A kind of picture of a run. */
interface Kind {
  readonly title: string;
  readonly about: string;
  /** Rows of the picture that the page keeps. */
  readonly rows: number;
  /** The file in the run's folder; undefined where the row has no such picture. */
  readonly fileOf: (row: Row) => string | undefined;
  /** Describes a picture of the row to those who do not see it. */
  readonly describe: (
    subject: { readonly row: Row; readonly run: RunRecord; readonly label: string },
    picture: Picture,
  ) => string;
}

const KINDS: readonly Kind[] = [
  {
    title: "Samples",
    about: "The first samples of each run.",
    rows: 4,
    fileOf: ({ alternative }) =>
      alternative === null ? "samples.png" : `samples_${alternative}.png`,
    describe: describeSamples,
  },
  {
    title: "Samples of classes",
    about: "In each row samples of one class, for methods that learn p(x | label).",
    rows: 10,
    fileOf: ({ alternative }) => alternative === null ? "samples_classes.png" : undefined,
    describe: ({ row, run, label }, { columns, rows }) =>
      `${columns} samples of each of ${rows} classes of ${label}, a class a row, by ${
        nameOf(row)
      }, seed ${run.spec.seed}`,
  },
  {
    title: "Reconstructions",
    about:
      "Test images, the same for all, in every other row; below each its reconstruction from one posterior draw.",
    rows: 4, // even, so that each image stays with its reconstruction
    fileOf: ({ alternative }) => alternative === null ? "reconstructions.png" : undefined,
    describe: ({ row, run, label }, { columns, rows }) => {
      const error = run.status === "completed" ? run.reconstructionError : undefined;
      const measured = error === undefined
        ? ""
        : `; squared error per pixel ${formatNumber(error)} over all images of the run`;
      return `${
        columns * Math.floor(rows / 2)
      } test images of ${label}, each above its reconstruction by ${
        nameOf(row)
      }, seed ${run.spec.seed}${measured}`;
    },
  },
  {
    title: "Hidden pixels",
    about:
      "In groups of three rows: images with pixels hidden, in grey; the same filled in from one posterior draw given the others; and whole.",
    rows: 6,
    fileOf: ({ alternative }) => alternative === null ? "inpaintings.png" : undefined,
    describe: ({ row, run, label }, { columns, rows }) => {
      const found = run.status === "completed" ? run.inpainting : undefined;
      const measured = found === undefined
        ? ""
        : `; squared error per hidden pixel ${
          formatNumber(found.squaredError)
        } over ${found.images} images`;
      return `${
        columns * Math.floor(rows / 3)
      } images of ${label} with pixels hidden, filled in by ${
        nameOf(row)
      }, and whole, seed ${run.spec.seed}${measured}`;
    },
  },
  {
    title: "Interpolations",
    about:
      "In each row a test image, decoded points on the straight line from its latent, or its code under a flow, to that of another, and the other image.",
    rows: 4,
    fileOf: ({ alternative }) => alternative === null ? "interpolations.png" : undefined,
    describe: ({ row, run, label }, { columns, rows }) =>
      `${rows} rows from one test image of ${label} to another over ${
        columns - 2
      } decoded points between them, by ${nameOf(row)}, seed ${run.spec.seed}`,
  },
];

/** Tables of pictures with a row for each method and a column for each seed, as HTML; empty without pictures. */
export function pictureSections(
  { table, rows }: FigureData,
  { pictures, records }: { readonly pictures: Pictures; readonly records: readonly RunRecord[] },
): string[] {
  const parts = table.datasets.flatMap(({ name: dataset }) =>
    KINDS.flatMap((kind) => {
      const shown = rows.flatMap(({ row, records: own }) => {
        const file = kind.fileOf(row);
        // Another way to sample has the runs of the row that it follows.
        const runs = row.alternative === null ? own : runsOf(row, records);
        const here = runs.filter(({ spec }) => spec.dataset === dataset);
        const cells = file === undefined ? [] : here.map((run) => ({
          run,
          path: `${run.id}/${file}`,
          picture: pictures[`${run.id}/${file}`],
        }));
        return cells.some(({ picture }) => picture !== undefined) ? [{ row, cells }] : [];
      });
      if (shown.length === 0) return [];
      const label = datasetLabel(table, dataset);
      const seeds = [
        ...new Set(shown.flatMap(({ cells }) => cells.map(({ run }) => run.spec.seed))),
      ]
        .toSorted((a, b) => a - b);
      const head = ["Method", ...seeds.map((seed) => `seed ${seed}`)]
        .map((text) => `<th scope="col" role="columnheader">${text}</th>`).join("");
      const body = shown.map(({ row, cells }) => {
        const columns = seeds.map((seed) => {
          const found = cells.filter(({ run }) => run.spec.seed === seed);
          const content = found.length === 0
            ? "no run"
            : found.map(({ run, path, picture }) =>
              picture === undefined
                ? `<span class="note">${escapeHtml(absence(run, path))}</span>`
                : imageHtml(picture, kind.describe({ row, run, label }, picture))
            ).join("");
          return `<td role="cell" data-label="seed ${seed}">${content}</td>`;
        });
        const name = escapeHtml(nameOf(row));
        return `<tr role="row"><th scope="row" role="rowheader">${name}</th>${
          columns.join("")
        }</tr>`;
      });
      return [
        `<h3>${escapeHtml(`${label}: ${kind.title.toLowerCase()}`)}</h3>`,
        `<div class="scroll"><table class="pictures" role="table">`,
        `<caption>${escapeHtml(kind.about)}</caption>`,
        `<thead role="rowgroup"><tr role="row">${head}</tr></thead>`,
        `<tbody role="rowgroup">${body.join("\n")}</tbody></table></div>`,
      ];
    })
  );
  if (parts.length === 0) return [];
  const note =
    "A column has the same seed for all methods. The pictures are compressed and cut; the originals, with more images, are in " +
    "the folder of each run.";
  return [`<h2 id="pictures">Pictures</h2>`, `<p class="note">${note}</p>`, ...parts];
}

function imageHtml({ url, width, height }: Picture, alt: string): string {
  return `<img src="${url}" width="${width}" height="${height}" alt="${escapeHtml(alt)}">`;
}

/** The records behind the scores of a row. */
function runsOf({ scores }: Row, records: readonly RunRecord[]): RunRecord[] {
  const ids = new Set(scores.flatMap(({ values }) => values.map(({ run }) => run)));
  return records.filter(({ id }) => ids.has(id));
}

/** Why there is no picture. */
function absence(run: RunRecord, path: string): string {
  return run.status === "completed" ? `${path} is not there` : `none: ${run.status}`;
}

/** Scores, marks and the commonest predicted classes of the samples. */
function describeSamples(
  { row, run, label }: { readonly row: Row; readonly run: RunRecord; readonly label: string },
  { columns, rows }: Picture,
): string {
  const { dataset, seed } = run.spec;
  const scores = row.scores.filter((cell) => cell.dataset === dataset).slice(0, 2)
    .flatMap(({ metric, values }) =>
      values.filter((value) => value.run === run.id)
        .map(({ value }) => `${metric} ${formatNumber(value)}`)
    );
  const marks = row.samples.filter((cell) => cell.dataset === dataset)
    .flatMap(({ marks }) =>
      marks.filter(({ seeds }) => seeds.some((one) => one.seed === seed)).map(({ mark }) => mark)
    );
  const facts = [...scores, ...classesOf(row, run), ...marks];
  const tail = facts.length === 0 ? "" : `: ${facts.join(", ")}`;
  return `${columns * rows} samples of ${nameOf(row)} trained on ${label}, seed ${seed}${tail}`;
}

/** The three commonest predicted classes of a run's samples. */
function classesOf({ alternative }: Row, run: RunRecord): string[] {
  if (run.status !== "completed") return [];
  const families = alternative === null ? run.families : run.alternatives?.[alternative]?.families;
  return Object.values(families ?? {}).slice(0, 1).flatMap(({ samples: { classes = {}, count } }) =>
    Object.entries(classes).toSorted(([, a], [, b]) => b - a).slice(0, 3)
      .filter(([, images]) => images > 0)
      .map(([name, images]) => `${Math.round(100 * images / count)} % taken for ${name}`)
  );
}

/** The files of a run that the page shows, with the rows of each that it keeps. */
export function pictureFiles(table: ResultTable): ReadonlyMap<string, number> {
  const files = table.rows.flatMap((row) =>
    KINDS.flatMap(({ fileOf, rows }) => {
      const file = fileOf(row);
      return file === undefined ? [] : [[file, rows] as const];
    })
  );
  return new Map(files);
}
