import { join } from "node:path";
import type { Dataset, DatasetFile, ImageSet, Split } from "../harness/types.ts";
import { dataFolder } from "./data_folder.ts";
import { gunzip, isGzip, readIdx } from "./idx.ts";
import { createImageSet, padImages, sha256Hex } from "./image_set.ts";

/** A gzipped IDX file. Users have it packed anew or unpacked, so the content has a digest of its own. */
export interface IdxFile extends DatasetFile {
  /** SHA-256 of the unpacked file. */
  readonly unpackedSha256: string;
}

/** The four files of a data set in the form of MNIST. */
export interface IdxSource {
  readonly name: string;
  readonly label: string;
  readonly source: string;
  /** Images and labels of each part. */
  readonly parts: Readonly<Record<Split, { readonly images: IdxFile; readonly labels: IdxFile }>>;
  /** Images of each part. */
  readonly counts: Readonly<Record<Split, number>>;
}

/** Side of the images in the files and in the data set, pixels. */
const STORED_SIDE = 28;
const PADDED_SIDE = 32;

/**
 * A data set of 28x28 grey images in IDX files, padded to 32x32 with zeros. Files are taken from
 * `folder`, by default the set's own folder in {@link dataFolder}, gzipped or not.
 */
export function idxDataset(
  { name, label, source, parts, counts }: IdxSource,
  folder?: string,
): Dataset {
  return {
    name,
    label,
    source,
    image: { height: PADDED_SIDE, width: PADDED_SIDE, channels: 1 },
    counts,
    files: Object.values(parts).flatMap(({ images, labels }) => [images, labels]),
    load: (split) => loadIdx(parts[split], { name, folder: folder ?? join(dataFolder(), name) }),
  };
}

async function loadIdx(
  part: IdxSource["parts"][Split],
  place: { readonly name: string; readonly folder: string },
): Promise<ImageSet> {
  const images = readIdx(await readIdxFile(part.images, place));
  const labels = readIdx(await readIdxFile(part.labels, place));
  const from = { height: STORED_SIDE, width: STORED_SIDE, channels: 1 };
  return createImageSet({
    image: { height: PADDED_SIDE, width: PADDED_SIDE, channels: 1 },
    pixels: padImages(images.data, { from, to: PADDED_SIDE }),
    labels: labels.data,
  });
}

/** The unpacked content of `file`, checked. */
async function readIdxFile(
  file: IdxFile,
  { name, folder }: { readonly name: string; readonly folder: string },
): Promise<Uint8Array<ArrayBuffer>> {
  const packed = join(folder, file.name);
  const path = await exists(packed) ? packed : packed.replace(/\.gz$/, "");
  if (!await exists(path)) {
    throw new Error(
      `File ${file.name} of data set "${name}" is not in ${folder}: run "deno task data ${name}", or copy it there`,
    );
  }
  const bytes = await Deno.readFile(path);
  const content = isGzip(bytes)
    ? await gunzip(bytes).catch((cause) => {
      throw new Error(`${path} is damaged: its gzip stream does not unpack`, { cause });
    })
    : bytes;
  const digest = sha256Hex(content);
  if (digest !== file.unpackedSha256) {
    throw new Error(
      `${path} is not ${file.name} of data set "${name}": SHA-256 of its content is ${digest}, expected ${file.unpackedSha256}; delete it and run "deno task data ${name}"`,
    );
  }
  return content;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
