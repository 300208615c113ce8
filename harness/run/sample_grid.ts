import type { ImageBatch } from "../core/types.ts";
import { replaceFile } from "../core/files.ts";

/** Images along each side of the grid. */
const SIDE = 10;

/** Tiles the first 100 images of `set` (or as many complete rows as it has), one byte per channel. */
export function tileImages(set: ImageBatch): {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
} {
  const { height, width, channels } = set.image;
  const columns = Math.min(SIDE, set.count);
  const rows = Math.min(SIDE, Math.floor(set.count / columns));
  const line = width * channels;
  const pixels = new Uint8Array(rows * height * columns * line);
  for (let i = 0; i < rows * columns; i++) {
    for (let y = 0; y < height; y++) {
      const from = (i * height + y) * line;
      const to = ((Math.floor(i / columns) * height + y) * columns + i % columns) * line;
      pixels.set(set.pixels.subarray(from, from + line), to);
    }
  }
  return { pixels, width: columns * width, height: rows * height };
}

/** Writes the grid of `set`, grey or RGB, as a PNG file. */
export async function writeSampleGrid(path: string, set: ImageBatch): Promise<void> {
  const { default: sharp } = await import("sharp"); // native: loaded only where an image is written
  const { pixels, width, height } = tileImages(set);
  const channels = set.image.channels as 1 | 3;
  const png = await sharp(pixels, { raw: { width, height, channels } }).png().toBuffer();
  await replaceFile(path, new Uint8Array(png));
}
