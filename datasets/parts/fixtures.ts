/** Helpers for tests of decoders: the images in fixtures/datasets, made by fixtures/make_datasets.py. @module */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { ImageShape } from "../../harness/core/types.ts";

/** Path of a file in fixtures/datasets. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/datasets/${name}`, import.meta.url));
}

/**
 * The pixel value that make_datasets.py writes at each position. Exchanging two axes or mirroring one changes pixels.
 */
export function fixturePixel(image: number, row: number, column: number, channel: number): number {
  return (97 * image + 7 * row + 3 * column + 50 * channel + Math.floor(row * column / 8)) % 256;
}

/** The images with the given numbers, [numbers.length, height, width, channels]. */
export function fixtureImages(
  numbers: readonly number[],
  { height, width, channels }: ImageShape,
): Uint8Array {
  const size = height * width * channels;
  return Uint8Array.from({ length: numbers.length * size }, (_, i) => {
    const within = i % size;
    const row = Math.floor(within / (width * channels));
    const column = Math.floor(within / channels) % width;
    return fixturePixel(numbers[Math.floor(i / size)], row, column, within % channels);
  });
}

/** Runs `body` with a temporary folder. */
export async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Throws for the first differing byte; assert.deepEqual would take minutes to report many. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.length, expected.length);
  const at = actual.findIndex((byte, i) => byte !== expected[i]);
  assert.equal(at, -1, `byte ${at} is ${actual[at]}, expected ${expected[at]}`);
}
