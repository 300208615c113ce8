import { join } from "node:path";
import * as z from "zod";
import type { ImageSet, ImageShape, Split } from "../../harness/core/types.ts";
import { bytesPerImage, createImageSet, sha256Hex } from "../../harness/core/image_set.ts";

/** Everything on which decoded pixels depend: equal keys mean equal pixels. */
export interface DecodedKey {
  /** Name of the data set, which makes file names readable. */
  readonly name: string;
  readonly split: Split;
  /** Description of the decoding (crop, resize, order); any change of the decoding changes it. */
  readonly definition: string;
  /** Digests of the source files. */
  readonly sources: readonly string[];
}

/** Output of a decoder: pixels [count, height, width, channels] and labels. */
export interface Decoded {
  readonly image: ImageShape;
  readonly pixels: Uint8Array;
  readonly labels?: Uint8Array;
}

const FORMAT = 1;

const sidecarSchema = z.strictObject({
  format: z.literal(FORMAT),
  name: z.string(),
  split: z.enum(["train", "test"]),
  definition: z.string(),
  sources: z.array(z.string()),
  image: z.strictObject({
    height: z.int().min(1),
    width: z.int().min(1),
    channels: z.int().min(1),
  }),
  count: z.int().min(1),
  /** SHA-256 of the pixels. */
  sha256: z.string(),
  /** SHA-256 of the labels after the pixels; null without labels. */
  labelsSha256: z.string().nullable(),
});

/** Content of the side-car file of a decoded split. */
export type Sidecar = z.infer<typeof sidecarSchema>;

/**
 * Loads the split `key` from the cache in `folder`. If it is missing or damaged, calls `decode` and caches the result: a
 * raw file (pixels, then labels), then a JSON side-car file, without which the raw file is ignored. Every read checks the
 * digests. If the cache is not writable, a warning is printed and the split is not cached.
 * Measured (2026-11-21, two shared EPYC cores): reading 73,257 images of 32x32x3 takes 0.3 to 0.5 s, with 271 MB
 * resident, 225 of them pixels.
 */
export async function loadThroughCache(
  { folder, key }: { readonly folder: string; readonly key: DecodedKey },
  decode: () => Promise<Decoded>,
): Promise<ImageSet> {
  const cached = await readDecoded(folder, key);
  if (cached) return cached;
  const set = createImageSet(await decode());
  try {
    await writeDecoded(folder, { key, set });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.warn(`Decoded images are not cached in ${folder}: ${reason}`);
  }
  return set;
}

/** Reads the side-car file of the split `key` in `folder`; null if the cache does not have it. */
export async function readSidecar(folder: string, key: DecodedKey): Promise<Sidecar | null> {
  const text = await orNull(Deno.readTextFile(`${join(folder, fileStem(key))}.json`));
  if (text === null) return null;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null; // damaged: the split is decoded again
  }
  const { success, data } = sidecarSchema.safeParse(json);
  const same = success && data.definition === key.definition &&
    data.sources.join() === key.sources.join();
  return same ? data : null;
}

/** File name without extension: `svhn-train-` and the first 16 digits of the key's digest. */
function fileStem({ name, split, definition, sources }: DecodedKey): string {
  const digest = sha256Hex(
    new TextEncoder().encode(JSON.stringify([FORMAT, name, split, definition, sources])),
  );
  return `${name}-${split}-${digest.slice(0, 16)}`;
}

/** Reads the split `key` from the cache in `folder`; null if it is missing or damaged. */
export async function readDecoded(folder: string, key: DecodedKey): Promise<ImageSet | null> {
  const sidecar = await readSidecar(folder, key);
  if (!sidecar) return null;
  const { image, count, sha256, labelsSha256 } = sidecar;
  const pixelBytes = count * bytesPerImage(image);
  const size = pixelBytes + (labelsSha256 === null ? 0 : count);
  const bytes = await readExactly(`${join(folder, fileStem(key))}.raw`, size);
  if (!bytes) return null;
  const pixels = bytes.subarray(0, pixelBytes);
  const labels = labelsSha256 === null ? undefined : bytes.subarray(pixelBytes);
  if (sha256Hex(pixels) !== sha256 || (labels && sha256Hex(labels) !== labelsSha256)) return null;
  return { image, count, pixels, labels, sha256 };
}

/** Writes a split into the cache in `folder`. */
export async function writeDecoded(
  folder: string,
  { key, set }: { readonly key: DecodedKey; readonly set: ImageSet },
): Promise<void> {
  const { image, count, pixels, labels, sha256 } = set;
  const base = join(folder, fileStem(key));
  await Deno.mkdir(folder, { recursive: true });
  await writeWhole(`${base}.raw`, labels ? [pixels, labels] : [pixels]);
  const sidecar: Sidecar = {
    format: FORMAT,
    ...key,
    sources: [...key.sources],
    image,
    count,
    sha256,
    labelsSha256: labels ? sha256Hex(labels) : null,
  };
  await writeWhole(`${base}.json`, [new TextEncoder().encode(JSON.stringify(sidecar, null, 2))]);
}

/** Writes `path` atomically by a temporary file, which also keeps concurrent writers apart. */
async function writeWhole(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      for (const part of parts) {
        for (let at = 0; at < part.length;) at += await file.write(part.subarray(at));
      }
      await file.sync();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await orNull(Deno.remove(temporary));
    throw error;
  }
}

/** Reads a file of exactly `size` bytes into one array without a further copy; null for any other size. */
async function readExactly(path: string, size: number): Promise<Uint8Array | null> {
  using file = await orNull(Deno.open(path));
  if (!file || (await file.stat()).size !== size) return null;
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const read = await file.read(bytes.subarray(at, at + READ_BYTES));
    if (read === null) return null;
    at += read;
  }
  return bytes;
}

/** Bytes per read call; larger reads are copied through a buffer of their size. */
const READ_BYTES = 1 << 22;

async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
