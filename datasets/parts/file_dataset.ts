import { basename, join } from "node:path";
import { dataFolder } from "../../harness/core/cache_folder.ts";
import type {
  Dataset,
  DatasetFile,
  ImageSet,
  ImageShape,
  Split,
} from "../../harness/core/types.ts";
import { type Decoded, type DecodedKey, readSidecar, throughCache } from "./decoded_cache.ts";

/** A published data set: its files, and how they become pixels. */
export interface FileSource {
  readonly name: string;
  readonly label: string;
  /** Where it comes from, and its licence. */
  readonly source: string;
  readonly image: ImageShape;
  readonly counts: Readonly<Record<Split, number>>;
  /** The files that a part is made of. */
  readonly files: Readonly<Record<Split, readonly DatasetFile[]>>;
  /** Names the decoding in the cache; changed whenever pixels or their order change. */
  readonly definition: string;
  /** Decodes one part; `find` gives the path of a file, or throws with the remedy. */
  decode(split: Split, find: (file: DatasetFile) => Promise<string>): Promise<Decoded>;
}

/** The data set of `source`, from its files in the data folder through the cache of decoded images. */
export function fileDataset(source: FileSource): Dataset {
  const { name, label, image, counts, files } = source;
  return {
    name,
    label,
    source: source.source,
    image,
    counts,
    files: [...new Set(Object.values(files).flat())],
    load: (split) => loadPart(source, { split, from: sourceFolder(name) }),
  };
}

/** Folder of the files as they were published. */
export function sourceFolder(name: string): string {
  return join(dataFolder(), name);
}

/** One part, out of the cache in the folder `decoded`, or from the files in `from`. */
export async function loadPart(
  source: FileSource,
  { split, from, decoded = decodedFolder() }: {
    readonly split: Split;
    readonly from: string;
    readonly decoded?: string;
  },
): Promise<ImageSet> {
  return await throughCache(
    { folder: decoded, key: keyOf(source, split) },
    () => decodePart(source, { split, from }),
  );
}

/** One part from the files in `from`, a folder or the file itself; the cache is neither read nor written. */
export async function decodePart(
  source: FileSource,
  { split, from }: { readonly split: Split; readonly from: string },
): Promise<Decoded> {
  const part = await source.decode(split, (file) => findFile(file, { source, from }));
  checkCount(part, { source, split });
  return part;
}

/** Whether a part is in the cache of decoded images. */
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
 * Path of `file` in the folder `from`, also unpacked, or `from` itself if it is the file. Throws an Error
 * with the remedy when it is not there.
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
    `File ${name} of data set "${source.name}" is not in ${from}: run "deno task data ${source.name}", with --from PATH if you have it elsewhere`,
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
      `The ${split} part of "${source.name}" decoded to ${pixels.length} bytes, expected ${expected}`,
    );
  }
}
