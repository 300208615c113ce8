/**
 * The content of the page of a folder besides its tables: small pictures of its runs, and files to download.
 *
 * @module
 */
import type { RunSpec } from "../core/records.ts";
import type { Download, Picture, Pictures } from "../../reports/page/content.ts";
import { pictureFiles } from "../../reports/sections/pictures.ts";
import type { Results } from "../../reports/table.ts";

/** Images across a grid as a run writes it, at most (`run/sample_grid.ts`). */
const COLUMNS = 10;
const QUALITY = 80;

/** The first rows of the pictures of the runs in `dir`, as WebP in data URLs; `sideOf` is the side of the images of a run in pixels. */
export async function readPictures(
  dir: string,
  { table, rows }: Results,
  sideOf: (spec: RunSpec) => number,
): Promise<Pictures> {
  const files = pictureFiles(table);
  const runs = rows.flatMap(({ records }) => records);
  const found = await Promise.all(
    runs.flatMap(({ id, spec }) =>
      [...files].map(async ([file, most]) => {
        const picture = await readPicture(`${dir}/${id}/${file}`, { side: sideOf(spec), most });
        return picture === undefined ? [] : [[`${id}/${file}`, picture] as const];
      })
    ),
  );
  return Object.fromEntries(found.flat());
}

/** At most `most` rows of a picture; undefined where there is none, or one that is no grid of images of that side. */
async function readPicture(
  path: string,
  { side, most }: { readonly side: number; readonly most: number },
): Promise<Picture | undefined> {
  const bytes = await Deno.readFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  const { default: sharp } = await import("sharp"); // native: loaded only where there is a picture
  const { width, height } = await sharp(bytes).metadata();
  const [columns, all] = [width / side, height / side];
  if (!Number.isInteger(columns) || !Number.isInteger(all) || columns > COLUMNS) return undefined;
  const rows = Math.min(most, all);
  const webp = await sharp(bytes).extract({ left: 0, top: 0, width, height: rows * side })
    .webp({ quality: QUALITY }).toBuffer();
  const url = dataUrl("image/webp", new Uint8Array(webp));
  return { url, width, height: rows * side, columns, rows };
}

/** The table and the records, for those who have the page alone. */
export function downloadsOf({ table, rows }: Results): Download[] {
  const lines = rows.flatMap(({ records }) => records).map((record) => JSON.stringify(record));
  const encode = (text: string) => new TextEncoder().encode(text);
  return [
    {
      name: "table.json",
      about: "every number of the tables",
      url: dataUrl("application/json", encode(JSON.stringify(table))),
    },
    {
      name: "results.jsonl",
      about: "the record of every run, with its resolved settings",
      url: dataUrl("application/jsonl", encode(`${lines.join("\n")}\n`)),
    },
  ];
}

function dataUrl(type: string, bytes: Uint8Array): string {
  return `data:${type};base64,${bytes.toBase64()}`;
}
