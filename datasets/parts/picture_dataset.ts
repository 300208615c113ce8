import { basename } from "node:path";
import type { Dataset, ImageSet, Split } from "../../harness/core/types.ts";
import { centreSquare, type Picture, resizeArea } from "./area_resize.ts";
import { decodePicture, pixelCount } from "./decode_picture.ts";
import {
  type Decoded,
  type DecodedKey,
  readDecoded,
  readSidecar,
  type Sidecar,
  writeDecoded,
} from "./decoded_cache.ts";
import { createImageSet, digestOf, tripled } from "../../harness/core/image_set.ts";
import { byCodeUnit, type ImageFile, type ImageFiles } from "../../harness/formats/image_rule.ts";
import { npyPictures } from "../../harness/formats/npy_images.ts";
import { openPictureFiles, type PictureFiles } from "./picture_files.ts";

/** Definition of a data set made of image files. */
export interface PictureDefinition {
  /** Name in the cache. */
  readonly name: string;
  /** Side of the images in pixels. */
  readonly size: number;
  /** Description of `divide`, part of the cache key. */
  readonly division: string;
  /** Divides all names into those of each split, in order. Throws Error if that is impossible. */
  divide(names: readonly string[]): Readonly<Record<Split, readonly string[]>>;
}

/** Number of images decoded concurrently, which keeps sharp's threads busy, the bytes of their files and their pixels. */
const AT_ONCE = 16;
const BYTES_AT_ONCE = 2 ** 26;
const PIXELS_AT_ONCE = 2 ** 24;

/** Returns both splits of `files` from the cache in `folder`; decodes and caches them first if they are missing. */
export async function pictureSplits(
  files: PictureFiles,
  { definition, folder, onProgress }: {
    readonly definition: PictureDefinition;
    readonly folder: string;
    /** Called with the number of decoded images. */
    readonly onProgress?: (count: number) => void;
  },
): Promise<Readonly<Record<Split, Sidecar>>> {
  const keys = pictureKeys(definition, files.fingerprint);
  const cached = await sidecars(folder, keys);
  if (cached) {
    await files.keepIdentity();
    return cached;
  }
  const parts = await decodePictures(files, { definition, onProgress });
  for (const split of ["train", "test"] as const) {
    await writeDecoded(folder, { key: keys[split], set: createImageSet(parts[split]) });
  }
  await files.keepIdentity();
  const written = await sidecars(folder, keys);
  if (!written) throw new Error(`Decoded images cannot be read from ${folder}: check the folder`);
  return written;
}

/** Loads a split from the cache; null if it is missing or damaged. */
export async function loadPictureSplit(
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
 * Makes the data set of the image files at `path`, a folder or an archive, as `size` x `size` images. Decodes them now
 * unless the cache in `folder` has them. `name` is its name in specs.
 */
export async function pictureDataset(
  path: string,
  { name, size, folder }: { readonly name: string; readonly size: number; readonly folder: string },
): Promise<Dataset> {
  const definition = { ...OWN_PICTURES, size };
  const files = await openPictureFiles(path, { cache: folder });
  const { train, test } = await pictureSplits(files, { definition, folder });
  const skipped = files.skipped();
  if (skipped !== undefined) console.warn(skipped);
  return {
    name,
    label: basename(path),
    source: `the images at ${path}`,
    image: train.image,
    counts: { train: train.count, test: test.count },
    files: [],
    async load(split) {
      const { fingerprint } = files;
      const set = await loadPictureSplit(split, { definition, folder, fingerprint });
      if (!set) {
        throw new Error(`Decoded images of ${path} are missing or damaged: run the command again`);
      }
      return set;
    },
  };
}

/** Fraction of the images in the test split if there are no folders train and test. */
const TEST_FRACTION = 0.1;

/** Definition for the user's images; `name` and `division` are part of the cache key. */
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
      throw new Error(
        `"${stray}" is outside the folders train and test, in which other images are: move it into one of them`,
      );
    }
    const isTest = inFolders > 0
      ? (name: string) => partOf(name) === "test"
      : (name: string) =>
        parseInt(digestOf("split", "0", name).slice(0, 8), 16) < TEST_FRACTION * 2 ** 32;
    // Shuffle by hash: in the order of names, folders per class would put one class first.
    const shuffled = names.map((name) => ({ name, key: digestOf("order", name) }))
      .sort((a, b) => byCodeUnit(a.key, b.key)).map(({ name }) => name);
    return { train: shuffled.filter((name) => !isTest(name)), test: shuffled.filter(isTest) };
  },
};

/**
 * Decodes, crops, resizes and divides the images of `files`; grey ones among colours become three equal channels. Throws Error that names an unusable file.
 */
export async function decodePictures(
  files: ImageFiles,
  { definition, onProgress }: {
    readonly definition: PictureDefinition;
    readonly onProgress?: (count: number) => void;
  },
): Promise<Record<Split, Decoded>> {
  const { size } = definition;
  const pictures = new Map<string, Picture>();
  const resized = (picture: Picture) => resizeArea(centreSquare(picture), size);
  /** The images of a file; full-size pixels are not kept. */
  const decode = async ({ name, bytes }: ImageFile) => ({
    name,
    found: isArray(name)
      ? npyPictures(bytes, name).map(resized)
      : [resized(await decodePicture(bytes, name))],
  });
  const add = (name: string, picture: Picture) => {
    pictures.set(name, picture);
    onProgress?.(pictures.size);
  };
  for await (const group of groups(files.files())) {
    const sized = await Promise.all(
      group.map(async (file) => ({
        file,
        pixels: isArray(file.name) ? 0 : await pixelCount(file.bytes),
      })),
    );
    for (const part of partsWithin(sized, PIXELS_AT_ONCE)) {
      for (const { name, found } of await Promise.all(part.map(({ file }) => decode(file)))) {
        if (pictures.has(name)) throw new Error(`${files.path} contains "${name}" twice`);
        if (found.length === 1) add(name, found[0]);
        else found.forEach((picture, i) => add(`${name}#${String(i).padStart(6, "0")}`, picture));
      }
    }
  }
  const names = checkNames([...pictures.keys()], files.path);
  const parts = definition.divide(names);
  const channels = Math.max(...new Set(pictures.values().map((picture) => picture.channels)));
  return { train: concatenate("train"), test: concatenate("test") };

  function concatenate(split: Split): Decoded {
    if (parts[split].length === 0) {
      throw new Error(
        `None of the ${names.length} images of ${files.path} is in the ${split} split: use folders train and test`,
      );
    }
    const bytes = size * size * channels;
    const pixels = new Uint8Array(parts[split].length * bytes);
    parts[split].forEach((name, i) => {
      const { data = new Uint8Array(), channels: own } = pictures.get(name) ?? {};
      pixels.set(own === channels ? data : tripled(data), i * bytes);
    });
    return { image: { height: size, width: size, channels }, pixels };
  }
}

function isArray(name: string): boolean {
  return name.toLowerCase().endsWith(".npy");
}

/** Sorts the names. Throws Error if there are none or if two differ only in case. */
function checkNames(names: string[], path: string): string[] {
  if (names.length === 0) throw new Error(`${path} contains no images`);
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      throw new Error(
        `${path} contains "${other}" and "${name}", which are one name on some machines: rename one of them`,
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

/** Collects files into groups of up to AT_ONCE files and, unless one alone has more, BYTES_AT_ONCE bytes. */
async function* groups(files: AsyncIterable<ImageFile>): AsyncGenerator<ImageFile[]> {
  let [group, bytes]: [ImageFile[], number] = [[], 0];
  for await (const file of files) {
    if (
      group.length === AT_ONCE || (group.length > 0 && bytes + file.bytes.length > BYTES_AT_ONCE)
    ) {
      yield group;
      [group, bytes] = [[], 0];
    }
    group.push(file);
    bytes += file.bytes.length;
  }
  if (group.length > 0) yield group;
}

/** Divides `items` into consecutive parts of up to `limit` pixels each, or of one item. */
export function partsWithin<T extends { readonly pixels: number }>(
  items: readonly T[],
  limit: number,
): T[][] {
  const parts: T[][] = [];
  let left = 0;
  for (const item of items) {
    if (parts.length === 0 || item.pixels > left) {
      parts.push([]);
      left = limit;
    }
    parts[parts.length - 1].push(item);
    left -= item.pixels;
  }
  return parts;
}
