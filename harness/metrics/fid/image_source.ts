/**
 * Images to score: those of a folder, of a zip or tar archive, or of a set in memory, one by one in a fixed order.
 *
 * @module
 */
import { join } from "node:path";
import type { ImageBatch } from "../../core/types.ts";
import { fileSource } from "../../formats/byte_source.ts";
import { decodeImage, IMAGE_ENDINGS, tripled } from "./decode_image.ts";
import type { Raster } from "./resize.ts";
import { tarMembers } from "../../formats/tar.ts";
import { zipMembers } from "../../formats/zip.ts";

/** A sequence of images. */
export interface ImageSource {
  /** Description for messages and records. */
  readonly name: string;
  /** Number of images; null if unknown before the end (tar archives). */
  readonly count: number | null;
  /** Distinct file extensions in lower case; empty if unknown before the end. */
  readonly formats: readonly string[];
  images(): AsyncIterable<Raster>;
}

/** Images of a set in memory; grey becomes three equal channels. Throws RangeError unless they have 1 or 3 channels. */
export function imagesOfSet(set: ImageBatch, name: string): ImageSource {
  const { height, width, channels } = set.image;
  if (channels !== 1 && channels !== 3) {
    throw new RangeError(
      `Inception features need images of 1 or 3 channels, got ${channels}`,
    );
  }
  const size = height * width * channels;
  return {
    name,
    count: set.count,
    formats: ["png"], // a lossless format
    async *images() {
      for (let i = 0; i < set.count; i++) {
        const pixels = set.pixels.subarray(i * size, (i + 1) * size);
        yield { height, width, data: channels === 3 ? pixels : tripled(pixels) };
      }
    },
  };
}

/**
 * Images at `path`: a folder, or a .zip, .tar, .tar.gz or .tgz archive. Throws Error if the path does not exist, has
 * another format or contains no images; a tar archive throws while it is read.
 */
export async function imagesAt(path: string): Promise<ImageSource> {
  const info = await Deno.stat(path).catch((error) => {
    throw error instanceof Deno.errors.NotFound
      ? new Error(`File or folder not found: ${path}`, { cause: error })
      : error;
  });
  if (info.isDirectory) return await imagesOfFolder(path);
  if (/\.zip$/i.test(path)) return imagesOfZip(path);
  if (/\.(tar|tar\.gz|tgz)$/i.test(path)) return imagesOfTar(path);
  throw new Error(
    `${path} is not a supported source of images: name a folder, a .zip, .tar, .tar.gz or .tgz archive of images, or an .npz file of statistics`,
  );
}

async function imagesOfFolder(folder: string): Promise<ImageSource> {
  const names: string[] = [];
  await collect(folder, "", names);
  names.sort(byCodeUnit);
  refuseEmpty(names.length, folder);
  return {
    name: folder,
    count: names.length,
    formats: formatsOf(names),
    async *images() {
      for (const name of names) {
        const path = join(folder, name);
        yield await decodeImage(await Deno.readFile(path), path);
      }
    },
  };
}

/** Collects the names, below `folder`, of all image files; does not follow links. */
async function collect(folder: string, below: string, names: string[]): Promise<void> {
  for await (const entry of Deno.readDir(join(folder, below))) {
    const name = join(below, entry.name);
    if (entry.isDirectory) await collect(folder, name, names);
    else if (entry.isFile && isPicture(entry.name)) names.push(name);
  }
}

function imagesOfZip(path: string): ImageSource {
  const pictures = (file: Deno.FsFile) =>
    inFile(path, () =>
      zipMembers(fileSource(file)).filter(({ name }) => isPicture(name))
        .sort((a, b) => byCodeUnit(a.name, b.name)));
  using file = Deno.openSync(path);
  const names = pictures(file).map(({ name }) => name);
  refuseEmpty(names.length, path);
  return {
    name: path,
    count: names.length,
    formats: formatsOf(names),
    async *images() {
      using file = Deno.openSync(path);
      for (const member of pictures(file)) {
        const bytes = inFile(path, () => member.read());
        yield await decodeImage(bytes, `${path}: ${member.name}`);
      }
    },
  };
}

function imagesOfTar(path: string): ImageSource {
  return {
    name: path,
    count: null,
    formats: [],
    async *images() {
      let count = 0;
      const file = await Deno.open(path); // closed together with its stream
      const stream = /\.tar$/i.test(path)
        ? file.readable
        : file.readable.pipeThrough(new DecompressionStream("gzip"));
      try {
        for await (const { name, bytes } of tarMembers(stream)) {
          if (!isPicture(name)) continue;
          count++;
          yield await decodeImage(bytes, `${path}: ${name}`);
        }
      } catch (error) {
        throw named(path, error);
      }
      refuseEmpty(count, path);
    },
  };
}

function isPicture(name: string): boolean {
  const ending = endingOf(name);
  const plain = name.split("/").at(-1) ?? "";
  if (plain.startsWith(".")) return false; // macOS writes ._name beside an image
  if (["bmp", "gif", "ppm", "pgm", "avif", "heic", "jxl"].includes(ending)) {
    throw new Error(`${name}: .${ending} is not supported: convert it to PNG, which is lossless`);
  }
  return IMAGE_ENDINGS.some((known) => known === ending);
}

function endingOf(name: string): string {
  return /\.([^.]+)$/.exec(name)?.[1].toLowerCase() ?? "";
}

function formatsOf(names: readonly string[]): string[] {
  return [...new Set(names.map(endingOf))].sort();
}

function refuseEmpty(count: number, path: string): void {
  if (count === 0) throw new Error(`${path} contains no images (${IMAGE_ENDINGS.join(", ")})`);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw named(path, error);
  }
}

function named(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error.message.startsWith(path)) return error;
  return new SyntaxError(`${path}: ${error.message}`, { cause: error });
}
