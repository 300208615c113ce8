import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { keyOf } from "../core/noise.ts";
import type { Latents } from "../core/types.ts";
import { openDevice } from "../engine/device.ts";
import { TINY_DATASET } from "../testing/tiny.ts";
import { compileDecodedEncodings } from "./decoded.ts";

/** Encodes an image by its first pixel, plus noise times `spread`; decodes to an image of that value. */
const firstPixel = (spread: number): Latents => ({
  dim: 1,
  infer: (_state, images, noise) => {
    const z = tf.reshape(tf.slice(images, [0, 0, 0, 0], [-1, 1, 1, 1]), [-1, 1]) as tf.Tensor2D;
    return tf.add(z, tf.mul(noise.split("z").normal(z.shape), spread));
  },
  decode: (_state, z) => tf.tile(tf.reshape(z, [-1, 1, 1, 1]), [1, 2, 3, 1]) as tf.Tensor4D,
});

/** First pixels of the images that are drawn for `count` of the first `trainCount` training images. */
async function draw(
  { count, trainCount, spread = 0 }: { count: number; trainCount: number; spread?: number },
): Promise<number[]> {
  await using device = await openDevice("tfjs-cpu", { threads: 1 });
  const state = await device.upload({});
  const images = await TINY_DATASET.load("train");
  const latents = firstPixel(spread);
  const options = { latents, key: keyOf(3), state, images, trainCount, count };
  await using generator = await compileDecodedEncodings(device, options);
  const pixels: number[] = [];
  await generator.draw(state, {
    chains: {},
    use: (batch) => {
      for (let i = 0; i < batch.count; i++) pixels.push(batch.pixels[6 * i]);
    },
  });
  return pixels;
}

Deno.test("compileDecodedEncodings() decodes training images in random order, each once before any repeats", async () => {
  const { pixels } = await TINY_DATASET.load("train");
  const firsts = (rows: number) =>
    Array.from({ length: rows }, (_, i) => pixels[6 * i]).toSorted((a, b) => a - b);
  const drawn = await draw({ count: 34, trainCount: 17 });
  assert.deepEqual(drawn.slice(0, 17).toSorted((a, b) => a - b), firsts(17));
  assert.deepEqual(drawn.slice(17), drawn.slice(0, 17));
  assert.notDeepEqual(drawn.slice(0, 17), Array.from({ length: 17 }, (_, i) => pixels[6 * i]));
  const ofFive = await draw({ count: 5, trainCount: 5 });
  assert.deepEqual(ofFive.toSorted((a, b) => a - b), firsts(5), "only images that were trained on");
});

Deno.test("compileDecodedEncodings() draws new noise in every chunk, the same in every call", async () => {
  const all = await draw({ count: 200, trainCount: 1, spread: 0.1 }); // one image, two chunks
  assert.equal(all.length, 200);
  assert.notDeepEqual(all.slice(0, 100), all.slice(100));
  assert.deepEqual(await draw({ count: 200, trainCount: 1, spread: 0.1 }), all);
  assert.deepEqual(await draw({ count: 150, trainCount: 1, spread: 0.1 }), all.slice(0, 150));
});
