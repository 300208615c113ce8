import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createImageSet } from "../core/image_set.ts";
import type { Bijection } from "../core/types.ts";
import { openDevice } from "../engine/device.ts";
import { interpolateCodes } from "./interpolate.ts";

/** Codes are the square roots of pixels: a line between codes is none between pixels. */
const bijection: Bijection = {
  encode: (_state, images) => tf.sqrt(tf.reshape(images, [images.shape[0], -1])),
  decode: (_state, codes) => tf.reshape(tf.square(codes), [-1, 1, 2, 1]),
};

Deno.test("interpolateCodes() has rows from one image to the next, by way of the line between their codes", async () => {
  const pixels = Uint8Array.of(0, 255, 255, 0, 51, 51, 51, 51, 9, 9);
  const images = createImageSet({ image: { height: 1, width: 2, channels: 1 }, pixels });
  await using device = await openDevice("cpu", { threads: 1 });
  const state = await device.upload({
    unused: { shape: [], dtype: "float32", data: Float32Array.of(0) },
  });
  const { interpolations } = await interpolateCodes(state, { device, bijection, images });
  // Five images make two rows of ten.
  assert.equal(interpolations.count, 20);
  const between = Array.from({ length: 8 }, (_, i) => [(i / 7) ** 2, (1 - i / 7) ** 2]);
  const first = [[0, 1], ...between, [1, 0]].flat().map((value) => Math.round(255 * value));
  assert.deepEqual([...interpolations.pixels.subarray(0, 20)], first);
  assert.deepEqual([...interpolations.pixels.subarray(20)], Array(20).fill(51));
});
