import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../engine/device.ts";
import { keyOf } from "../core/noise.ts";
import { reconstruct, reconstructByFit } from "./reconstruct.ts";
import { createImageSet } from "../core/image_set.ts";
import type { Latents, Restoration } from "../core/types.ts";

const IMAGE = { height: 1, width: 2, channels: 1 };

/** Latents are the pixels; decoded images are 26 levels too bright. */
const BRIGHTER: Latents<{ readonly offset: tf.Scalar }> = {
  dim: 2,
  infer: (_state, images) => tf.reshape(images, [-1, 2]),
  decode: (state, latents) => tf.add(tf.reshape(latents, [-1, 1, 2, 1]), state.offset),
};

async function run(count: number, more: Partial<Latents> = {}) {
  await using device = await openDevice("cpu", { threads: 1 });
  const state = await device.upload({
    offset: { shape: [], dtype: "float32", data: Float32Array.of(26 / 255) },
  });
  const images = createImageSet({
    image: IMAGE,
    pixels: Uint8Array.from({ length: 2 * count }, (_, i) => i),
  });
  const latents = { ...BRIGHTER as Latents, ...more };
  return await reconstruct(device, { latents, key: keyOf(0), state, images });
}

Deno.test("reconstruct() gives the error, and rows of ten images above their reconstructions", async () => {
  const { pairs, squaredError } = await run(57);
  assert.ok(Math.abs(squaredError - (26 / 255) ** 2) < 1e-7);
  assert.equal(pairs.count, 100); // the first 50
  const row = (r: number) => [...pairs.pixels.subarray(20 * r, 20 * (r + 1))];
  assert.deepEqual(row(0), Array.from({ length: 20 }, (_, i) => i));
  assert.deepEqual(row(1), Array.from({ length: 20 }, (_, i) => 26 + i));
  assert.deepEqual(row(2), Array.from({ length: 20 }, (_, i) => 20 + i));
});

Deno.test("reconstruct() gives the error at fitted latents beside that at draws, where the model fits", async () => {
  const fit: Latents["fit"] = (_state, images) =>
    tf.sub(tf.reshape(images, [-1, 2]), 25 / 255) as tf.Tensor2D;
  const { squaredError, fitError } = await run(20, { fit });
  assert.ok(Math.abs(squaredError - (26 / 255) ** 2) < 1e-7);
  assert.ok(Math.abs((fitError ?? NaN) - (1 / 255) ** 2) < 1e-7, `${fitError}`);
  assert.equal((await run(20)).fitError, undefined);
});

Deno.test("reconstruct() accepts fewer images", async () => {
  assert.equal((await run(3)).pairs.count, 6);
  assert.equal((await run(17)).pairs.count, 20);
});

Deno.test("reconstruct() lays points of the line between the latents of two images between the images", async () => {
  const { interpolations: { pixels, count } } = await run(4);
  assert.equal(count, 20); // two pairs
  const row = [...pixels.subarray(20, 40)];
  assert.deepEqual(row.slice(0, 2), [4, 5]);
  assert.deepEqual(row.slice(-2), [6, 7]);
  // Latents go from (4, 5) to (6, 7) in steps of 2 / 7 levels, and are decoded 26 levels too bright.
  const points = Array.from(
    { length: 8 },
    (_, i) => [30, 31].map((v) => Math.round(v + 2 * i / 7)),
  );
  assert.deepEqual(row.slice(2, -2), points.flat());
});

Deno.test("reconstruct() has no interpolations of a single image", async () => {
  assert.equal((await run(1)).interpolations.count, 0);
});

Deno.test("reconstructByFit() gives the error and the pairs of restored whole images, some at a time", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const state = await device.upload({
    offset: { shape: [], dtype: "float32", data: Float32Array.of(26 / 255) },
  });
  const images = createImageSet({
    image: IMAGE,
    pixels: Uint8Array.from({ length: 2 * 57 }, (_, i) => i),
    seen: new Uint8Array(2 * 57), // of hidden pixels nothing is asked here
  });
  const restoration: Restoration = {
    steps: 2,
    start: (_state, count) => tf.zeros([count, 1, 2, 1]),
    step: (_state, _fit, { images, seen }) => {
      assert.equal(seen, undefined);
      return images;
    },
    finish: (state, fit) => tf.add(fit, state.offset as tf.Scalar),
  };
  const fitted = await reconstructByFit(state, { device, restoration, key: keyOf(0), images });
  assert.ok(Math.abs(fitted.fitError - (26 / 255) ** 2) < 1e-7);
  assert.equal(fitted.pairs.count, 100);
  const row = (r: number) => [...fitted.pairs.pixels.subarray(20 * r, 20 * (r + 1))];
  assert.deepEqual(row(8), Array.from({ length: 20 }, (_, i) => 80 + i));
  assert.deepEqual(row(9), Array.from({ length: 20 }, (_, i) => 106 + i));
});
