/**
 * Images to score: those of a folder, of a zip or tar archive, or of a set in memory, one by one in a fixed order.
 *
 * @module
 */
import { join } from "node:path";
import { tripled } from "../../core/image_set.ts";
import type { ImageBatch } from "../../core/types.ts";
import { openImageFiles } from "../../formats/image_files.ts";
import { endingOf, IMAGE_ENDINGS } from "../../formats/image_rule.ts";
import { npyPictures } from "../../formats/npy_images.ts";
import { decodeImage } from "./decode_image.ts";
import type { Raster } from "./resize.ts";

/** A sequence of images. */
export interface ImageSource {
  /** Description for messages and records. */
  readonly name: string;
  /** Number of images; null if unknown before the end (tar archives). */
  readonly count: number | null;
  /** Distinct file extensions in lower case; empty if unknown before the end. */
  readonly formats: readonly string[];
  images(): AsyncIterable<Raster>;
  /** How many files were skipped and why, in one line; undefined if none was. Complete after `images`. */
  skipped?(): string | undefined;
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
 * Images at `path`: a folder, an archive, or an array, as `openImageFiles` reads them. Throws Error if there are none; a tar
 * archive throws while it is read.
 */
export async function imagesAt(path: string): Promise<ImageSource> {
  const files = await openImageFiles(path);
  if (files.names !== null) refuseEmpty(files.names.length, path);
  const isFolder = (await Deno.stat(path)).isDirectory;
  const hasArrays = files.names === null || files.names.some(isArray);
  return {
    name: path,
    count: hasArrays ? null : files.names.length,
    formats: files.names === null ? [] : [...new Set(files.names.map(endingOf))].sort(),
    skipped: files.skipped,
    async *images() {
      let count = 0;
      for await (const { name, bytes } of files.files()) {
        const shown = isFolder ? join(path, name) : name === path ? path : `${path}: ${name}`;
        if (isArray(name)) {
          for (const { data, channels, ...size } of npyPictures(bytes, shown)) {
            yield { ...size, data: channels === 3 ? data : tripled(data) };
          }
        } else yield await decodeImage(bytes, shown);
        count++;
      }
      refuseEmpty(count, path);
    },
  };
}

function isArray(name: string): boolean {
  return endingOf(name) === "npy";
}

function refuseEmpty(count: number, path: string): void {
  if (count === 0) throw new Error(`${path} contains no images (${IMAGE_ENDINGS.join(", ")})`);
}
