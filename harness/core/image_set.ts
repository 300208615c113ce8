import { createHash } from "node:crypto";
import type { ImageSet, ImageShape } from "./types.ts";

/** Bytes of one image of shape `image`, one byte a channel. */
export function bytesPerImage({ height, width, channels }: ImageShape): number {
  return height * width * channels;
}

/** SHA-256 of `bytes` as lowercase hex. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex"); // unlike crypto.subtle, without a copy
}

/** Digest of texts, for keys of sources that have no published one. */
export function digestOf(...texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text).update("\0");
  return hash.digest("hex");
}

/**
 * An {@link ImageSet} of `pixels` [count, height, width, channels] with its digest.
 * Throws RangeError when pixels or labels do not fit the shape, or when there is no image.
 */
export function createImageSet(
  { image, pixels, labels }: {
    readonly image: ImageShape;
    readonly pixels: Uint8Array;
    readonly labels?: Uint8Array;
  },
): ImageSet {
  const size = bytesPerImage(image);
  const count = pixels.length / size;
  if (!Number.isInteger(count) || count === 0) {
    throw new RangeError(
      `${pixels.length} bytes of pixels are no images of ${image.height}x${image.width}x${image.channels}`,
    );
  }
  if (labels && labels.length !== count) {
    throw new RangeError(`${labels.length} labels do not fit ${count} images`);
  }
  return { image, count, pixels, labels, sha256: sha256Hex(pixels) };
}

/**
 * Images `pixels` [count, height, width, channels] in the centre of a zero canvas of `to` x `to` pixels
 * [count, to, to, channels]; an odd rest goes below and to the right.
 */
export function padImages(
  pixels: Uint8Array,
  { from, to }: { readonly from: ImageShape; readonly to: number },
): Uint8Array<ArrayBuffer> {
  const { height, width, channels } = from;
  if (height > to || width > to) {
    throw new RangeError(`Images of ${height}x${width} pixels do not fit into ${to}x${to}`);
  }
  const count = pixels.length / bytesPerImage(from);
  const top = (to - height) >> 1;
  const left = (to - width) >> 1;
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
