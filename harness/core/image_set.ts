import { createHash } from "node:crypto";
import type { ImageSet, ImageShape } from "./types.ts";

/** Bytes of one image of the given shape, one byte per channel. */
export function bytesPerImage({ height, width, channels }: ImageShape): number {
  return height * width * channels;
}

/** SHA-256 of `bytes` as lowercase hex. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex"); // unlike crypto.subtle, without a copy
}

/** SHA-256 of texts as lowercase hex, for keys of sources without a published digest. */
export function digestOf(...texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text).update("\0");
  return hash.digest("hex");
}

/**
 * Makes an {@link ImageSet} of `pixels` [count, height, width, channels] with its digest. Throws RangeError unless
 * `pixels` has a positive whole number of images, `labels` one label per image and `seen` one byte, 0 or 1, for each place in
 * each image.
 */
export function createImageSet(
  { image, pixels, labels, seen }: {
    readonly image: ImageShape;
    readonly pixels: Uint8Array;
    readonly labels?: Uint8Array;
    readonly seen?: Uint8Array;
  },
): ImageSet {
  const size = bytesPerImage(image);
  const count = pixels.length / size;
  if (!Number.isInteger(count) || count === 0) {
    throw new RangeError(
      `Pixels must be a positive multiple of ${image.height}x${image.width}x${image.channels} bytes, got ${pixels.length}`,
    );
  }
  if (labels && labels.length !== count) {
    throw new RangeError(`${count} images need ${count} labels, got ${labels.length}`);
  }
  if (seen) checkMask(seen, { image, count });
  return { image, count, pixels, labels, ...seen && { seen }, sha256: sha256Hex(pixels) };
}

/** Throws RangeError unless `seen` is a mask, of the shape of `count` images. */
export function checkMask(
  seen: Uint8Array,
  { image: { height, width }, count }: Pick<ImageSet, "image" | "count">,
): void {
  const size = count * height * width;
  if (seen.length !== size) {
    throw new RangeError(
      `The mask of ${count} images of ${height}x${width} must have ${size} bytes, got ${seen.length}`,
    );
  }
  const other = seen.find((value) => value > 1);
  if (other !== undefined) {
    throw new RangeError(`A mask must have the values 0 and 1, got ${other}`);
  }
}

/** Copies the images `rows` of `set`, with their labels and masks, into a new set. */
export function selectImages(set: ImageSet, rows: Int32Array): ImageSet {
  const size = bytesPerImage(set.image);
  const pixels = new Uint8Array(rows.length * size);
  rows.forEach((row, i) => pixels.set(set.pixels.subarray(row * size, (row + 1) * size), i * size));
  const { labels, seen } = set;
  return createImageSet({
    image: set.image,
    pixels,
    ...labels && { labels: Uint8Array.from(rows, (row) => labels[row]) },
    ...seen && { seen: masksOf(seen, rows, size / set.image.channels) },
  });
}

/** The first `count` images of `set`, or all. */
export function firstImages(set: ImageSet, count: number): ImageSet {
  if (count >= set.count) return set;
  return selectImages(set, Int32Array.from({ length: count }, (_, row) => row));
}

/** The masks, `size` bytes each, of `rows`. */
function masksOf(seen: Uint8Array, rows: Int32Array, size: number): Uint8Array {
  const chosen = new Uint8Array(rows.length * size);
  rows.forEach((row, i) => chosen.set(seen.subarray(row * size, (row + 1) * size), i * size));
  return chosen;
}

/**
 * Pads images [count, height, width, channels] with zeros to [count, to, to, channels], centred; an odd remainder goes
 * below and to the right. Throws RangeError if an image is larger than `to`.
 */
export function padImages(
  pixels: Uint8Array,
  { from, to }: { readonly from: ImageShape; readonly to: number },
): Uint8Array<ArrayBuffer> {
  const { height, width, channels } = from;
  if (height > to || width > to) {
    throw new RangeError(`Images must be at most ${to}x${to} pixels, got ${height}x${width}`);
  }
  const count = pixels.length / bytesPerImage(from);
  const [top, left] = [borderOf(height, to), borderOf(width, to)];
  const rowBytes = width * channels;
  const padded = new Uint8Array(count * to * to * channels);
  for (let row = 0; row < count * height; row++) {
    const image = Math.floor(row / height);
    const y = top + row % height;
    const source = pixels.subarray(row * rowBytes, (row + 1) * rowBytes);
    padded.set(source, ((image * to + y) * to + left) * channels);
  }
  return padded;
}

/** Zeros before `length` pixels that are padded to `to`. */
function borderOf(length: number, to: number): number {
  return (to - length) >> 1;
}

/** The inverse of `padImages`: images [count, from.height, from.width, channels] without their border, of the shape `to`. */
export function cropImages(
  pixels: Uint8Array,
  { from, to: { height, width, channels } }: { readonly from: ImageShape; readonly to: ImageShape },
): Uint8Array<ArrayBuffer> {
  const count = pixels.length / bytesPerImage(from);
  const [top, left] = [borderOf(height, from.height), borderOf(width, from.width)];
  const rowBytes = width * channels;
  const cropped = new Uint8Array(count * height * rowBytes);
  for (let row = 0; row < count * height; row++) {
    const y = Math.floor(row / height) * from.height + top + row % height;
    const start = (y * from.width + left) * channels;
    cropped.set(pixels.subarray(start, start + rowBytes), row * rowBytes);
  }
  return cropped;
}

/** Converts one channel to three equal ones, interleaved. */
export function tripled(grey: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: 3 * grey.length }, (_, i) => grey[Math.floor(i / 3)]);
}
