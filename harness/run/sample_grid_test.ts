import assert from "node:assert/strict";
import { withTempDir } from "../testing/temp_dir.ts";
import sharp from "sharp";
import { tileImages, writeSampleGrid } from "./sample_grid.ts";
import { createImageSet } from "../core/image_set.ts";

/** `count` images of 2 x 1 pixels; image i holds 2i and 2i + 1 in each of its channels. */
const images = (count: number, channels: number) =>
  createImageSet({
    image: { height: 1, width: 2, channels },
    pixels: Uint8Array.from({ length: count * 2 * channels }, (_, i) => Math.floor(i / channels)),
  });

Deno.test("tileImages() puts image i at row i / 10, column i mod 10", () => {
  const { pixels, width, height } = tileImages(images(27, 1));
  assert.deepEqual([width, height], [20, 2], "only whole rows");
  assert.deepEqual([...pixels], Array.from({ length: 40 }, (_, i) => i));
  const few = tileImages(images(3, 3));
  assert.deepEqual([few.width, few.height], [6, 1]);
  assert.deepEqual([...few.pixels], Array.from({ length: 18 }, (_, i) => Math.floor(i / 3)));
});

Deno.test("writeSampleGrid() writes a PNG that decodes to the tiles, grey and coloured", () =>
  withTempDir(async (dir) => {
    for (const channels of [1, 3]) {
      await writeSampleGrid(`${dir}/grid.png`, images(20, channels));
      const space = channels === 1 ? "b-w" : "srgb";
      const { data, info } = await sharp(`${dir}/grid.png`).toColourspace(space).raw()
        .toBuffer({ resolveWithObject: true });
      assert.deepEqual([info.width, info.height, info.channels], [20, 2, channels]);
      assert.deepEqual(new Uint8Array(data), tileImages(images(20, channels)).pixels);
    }
  }));
