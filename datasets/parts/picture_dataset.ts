import { basename } from "node:path";
import type { Dataset, ImageSet, Split } from "../../harness/core/types.ts";
import { centreSquare, type Picture, resizeArea } from "./area_resize.ts";
import { decodePicture } from "./decode_picture.ts";
import {
  type Decoded,
  type DecodedKey,
  readDecoded,
  readSidecar,
  type Sidecar,
  writeDecoded,
} from "./decoded_cache.ts";
import { createImageSet, digestOf } from "../../harness/core/image_set.ts";
import { npyPictures } from "./npy_images.ts";
import { byCodeUnit, openPictureFiles, type PictureFiles } from "./picture_files.ts";

/** How a collection of pictures becomes a data set. */
export interface PictureDefinition {
  /** Name in the cache. */
  readonly name: string;
  /** Side of the images, pixels. */
  readonly size: number;
  /** In words, what `divide` does; part of the cache's key. */
  readonly division: string;
  /** The names of each part in their order, out of all names. Throws when they cannot be divided. */
  divide(names: readonly string[]): Readonly<Record<Split, readonly string[]>>;
}

/** Pictures decoded at the same time: sharp has its own threads, but a call waits for the next. */
const AT_ONCE = 16;

/** Both parts of the collection `files`, out of the cache in `folder`, or decoded and kept there. */
export async function pictureParts(
  files: PictureFiles,
  { definition, folder, onProgress }: {
    readonly definition: PictureDefinition;
    readonly folder: string;
    /** Told the number of pictures decoded. */
    readonly onProgress?: (count: number) => void;
  },
): Promise<Readonly<Record<Split, Sidecar>>> {
  const keys = pictureKeys(definition, files.fingerprint);
  const cached = await sidecars(folder, keys);
  if (cached) return cached;
  const parts = await decodePictures(files, { definition, onProgress });
  for (const split of ["train", "test"] as const) {
    await writeDecoded(folder, { key: keys[split], set: createImageSet(parts[split]) });
  }
  const written = await sidecars(folder, keys);
  if (!written) throw new Error(`Decoded images cannot be read back from ${folder}`);
  return written;
}

/** One part, out of the cache; null when it is not there whole. */
export async function loadPicturePart(
  split: Split,
  { definition, folder, fingerprint }: {
    readonly definition: PictureDefinition;
    readonly folder: string;
    readonly fingerprint: string;
  },
): Promise<ImageSet | null> {
  return await readDecoded(folder, pictureKeys(definition, fingerprint)[split]);
}

/**
 * The data set of the pictures at `path`, a folder or an archive, as `size` x `size` images. Its pictures
 * are decoded now unless the cache in `folder` has them. `word` is its name in specs.
 */
export async function pictureDataset(
  path: string,
  { word, size, folder }: { readonly word: string; readonly size: number; readonly folder: string },
): Promise<Dataset> {
  const definition = { ...OWN_PICTURES, size };
  const files = await openPictureFiles(path);
  const { train, test } = await pictureParts(files, { definition, folder });
  return {
    name: word,
    label: basename(path),
    source: `the pictures at ${path}`,
    image: train.image,
    counts: { train: train.count, test: test.count },
    files: [],
    async load(split) {
      const { fingerprint } = files;
      const set = await loadPicturePart(split, { definition, folder, fingerprint });
      if (!set) throw new Error(`Decoded images of ${path} are gone or damaged: run again`);
      return set;
    },
  };
}

/** Part of the pictures that the test set gets where no folder decides. */
const TEST_FRACTION = 0.1;

/** The user's own pictures. */
const OWN_PICTURES: Omit<PictureDefinition, "size"> = {
  name: "pictures",
  division:
    "folders train and test, else SHA-256 of the name below 0.1; in the order of SHA-256 of the names",
  divide(names) {
    const partOf = (name: string) =>
      name.split("/").slice(0, -1).find((folder) => folder === "train" || folder === "test");
    const inFolders = names.filter((name) => partOf(name) !== undefined).length;
    if (inFolders > 0 && inFolders < names.length) {
      const stray = names.find((name) => partOf(name) === undefined);
      throw new Error(`"${stray}" is in neither of the folders train and test, others are`);
    }
    const isTest = inFolders > 0
      ? (name: string) => partOf(name) === "test"
      : (name: string) =>
        parseInt(digestOf("split", "0", name).slice(0, 8), 16) < TEST_FRACTION * 2 ** 32;
    // Not by name: with a folder for each class, the first images would be of one class.
    const shuffled = names.map((name) => ({ name, key: digestOf("order", name) }))
      .sort((a, b) => byCodeUnit(a.key, b.key)).map(({ name }) => name);
    return { train: shuffled.filter((name) => !isTest(name)), test: shuffled.filter(isTest) };
  },
};

/** Decodes, crops, resizes, and divides the pictures of `files`. Throws an Error that names the file. */
export async function decodePictures(
  files: PictureFiles,
  { definition, onProgress }: {
    readonly definition: PictureDefinition;
    readonly onProgress?: (count: number) => void;
  },
): Promise<Record<Split, Decoded>> {
  const { size } = definition;
  const pictures = new Map<string, Picture>();
  const add = (name: string, picture: Picture) => {
    const resized = resizeArea(centreSquare(picture), size);
    const [[firstName, first] = [name, resized]] = pictures;
    if (first.channels !== resized.channels) {
      throw new Error(
        `${name} has ${resized.channels} channels, ${firstName} has ${first.channels}: convert one of them`,
      );
    }
    pictures.set(name, resized);
    onProgress?.(pictures.size);
  };
  for await (const group of groups(files.files(), AT_ONCE)) {
    const decoded = await Promise.all(group.map(async ({ name, bytes }) => ({
      name,
      found: name.toLowerCase().endsWith(".npy")
        ? npyPictures(bytes, name)
        : [await decodePicture(bytes, name)],
    })));
    for (const { name, found } of decoded) {
      if (pictures.has(name)) throw new Error(`${files.path} holds "${name}" twice`);
      if (found.length === 1) add(name, found[0]);
      else found.forEach((picture, i) => add(`${name}#${String(i).padStart(6, "0")}`, picture));
    }
  }
  const names = checkNames([...pictures.keys()], files.path);
  const parts = definition.divide(names);
  return { train: concatenate("train"), test: concatenate("test") };

  function concatenate(split: Split): Decoded {
    if (parts[split].length === 0) {
      throw new Error(
        `None of the ${names.length} pictures of ${files.path} is for the ${split} part: use folders train and test`,
      );
    }
    const channels = pictures.values().next().value?.channels ?? 0;
    const bytes = size * size * channels;
    const pixels = new Uint8Array(parts[split].length * bytes);
    parts[split].forEach((name, i) => pixels.set(pictures.get(name)?.data ?? [], i * bytes));
    return { image: { height: size, width: size, channels }, pixels };
  }
}

/** The names, sorted; throws when there is none, or when two differ in case alone. */
function checkNames(names: string[], path: string): string[] {
  if (names.length === 0) throw new Error(`${path} holds no pictures`);
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      throw new Error(
        `${path} holds "${other}" and "${name}", one name on some machines: rename one of them`,
      );
    }
    seen.set(name.toLowerCase(), name);
  }
  return names.sort(byCodeUnit);
}

function pictureKeys(
  { name, size, division }: PictureDefinition,
  fingerprint: string,
): Record<Split, DecodedKey> {
  const definition = `centre square, area mean to ${size}x${size}; ${division}`;
  const key = { name: `${name}_${size}`, definition, sources: [fingerprint] };
  return { train: { ...key, split: "train" }, test: { ...key, split: "test" } };
}

async function sidecars(
  folder: string,
  keys: Readonly<Record<Split, DecodedKey>>,
): Promise<Record<Split, Sidecar> | null> {
  const [train, test] = [
    await readSidecar(folder, keys.train),
    await readSidecar(folder, keys.test),
  ];
  return train && test ? { train, test } : null;
}

/** Groups of up to `size` items. */
async function* groups<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length === size) {
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}
