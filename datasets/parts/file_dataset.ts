import { basename, join } from "node:path";
import { dataFolder } from "../../harness/core/cache_folder.ts";
import type {
  Dataset,
  DatasetFile,
  ImageSet,
  ImageShape,
  Split,
} from "../../harness/core/types.ts";
import { type Decoded, type DecodedKey, loadThroughCache, readSidecar } from "./decoded_cache.ts";

/** A published data set: its files and their decoding. */
export interface FileSource {
  readonly name: string;
  readonly label: string;
  /** Origin and licence. */
  readonly source: string;
  readonly image: ImageShape;
  /** As of `Dataset`. */
  readonly unpadded?: ImageShape;
  readonly counts: Readonly<Record<Split, number>>;
  /** Number of classes of its labels; absent if it has none. */
  readonly classCount?: number;
  /** Files of each split. */
  readonly files: Readonly<Record<Split, readonly DatasetFile[]>>;
  /** Description of the decoding, part of the cache key; must change whenever pixels or their order change. */
  readonly definition: string;
  /** Decodes a split; `find` returns the path of a file, or throws an Error with a hint. */
  decode(split: Split, find: (file: DatasetFile) => Promise<string>): Promise<Decoded>;
}

/** Makes the data set of `source`, which loads its files in the data folder through the cache of decoded images. */
export function fileDataset(source: FileSource): Dataset {
  const { name, label, image, unpadded, counts, classCount, files } = source;
  return {
    name,
    label,
    source: source.source,
    image,
    ...unpadded && { unpadded },
    counts,
    ...classCount !== undefined && { classCount },
    files: [...new Set(Object.values(files).flat())],
    load: (split) => loadSplit(source, { split, from: sourceFolder(name) }),
  };
}

/** Folder of the files as published. */
export function sourceFolder(name: string): string {
  return join(dataFolder(), name);
}

/** Loads a split from the cache in the folder `decoded`, or decodes the files in `from`. */
export async function loadSplit(
  source: FileSource,
  { split, from, decoded = decodedFolder() }: {
    readonly split: Split;
    readonly from: string;
    readonly decoded?: string;
  },
): Promise<ImageSet> {
  return await loadThroughCache(
    { folder: decoded, key: keyOf(source, split) },
    () => decodeSplit(source, { split, from }),
  );
}

/** Decodes a split from the files in `from`, a folder or the file itself, without the cache. */
export async function decodeSplit(
  source: FileSource,
  { split, from }: { readonly split: Split; readonly from: string },
): Promise<Decoded> {
  const part = await source.decode(split, (file) => findFile(file, { source, from }));
  checkCount(part, { source, split });
  return part;
}

/** Whether a split is in the cache of decoded images. */
export async function isDecoded(source: FileSource, split: Split): Promise<boolean> {
  return await readSidecar(decodedFolder(), keyOf(source, split)) !== null;
}

/** Folder of the cache of decoded images. */
export function decodedFolder(): string {
  return join(dataFolder(), "decoded");
}

function keyOf({ name, definition, files }: FileSource, split: Split): DecodedKey {
  return { name, split, definition, sources: files[split].map(({ sha256 }) => sha256) };
}

/**
 * Finds `file`, packed or unpacked, in the folder `from`; `from` may also be the file itself. Throws Error with a hint if
 * it is missing.
 */
async function findFile(
  { name }: DatasetFile,
  { source, from }: { readonly source: FileSource; readonly from: string },
): Promise<string> {
  const candidates = [join(from, name), join(from, name.replace(/\.gz$/, ""))];
  if (basename(from) === name) candidates.unshift(from);
  for (const path of candidates) {
    if (await isFile(path)) return path;
  }
  throw new Error(
    `File ${name} of data set "${source.name}" is not in ${from}: run "deno task data ${source.name}", with --from PATH if you have the file elsewhere`,
  );
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

function checkCount(
  { image, pixels }: Decoded,
  { source, split }: { readonly source: FileSource; readonly split: Split },
): void {
  const expected = source.counts[split] * image.height * image.width * image.channels;
  if (pixels.length !== expected) {
    throw new Error(
      `The ${split} split of "${source.name}" must have ${expected} bytes of pixels, got ${pixels.length}`,
    );
  }
}
