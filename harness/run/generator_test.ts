import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../engine/device.ts";
import { keyOf } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { compileGenerator, toBytes } from "./generator.ts";
import { TINY_DATASET, TINY_METHOD, tinyWith } from "../testing/tiny.ts";
import type { ImageBatch, Model } from "../core/types.ts";

const PROBLEM = { image: TINY_DATASET.image, trainCount: 17, batchSize: 4 };

/** Chains of 17 rows: chain r is at (r, r) / 20. */
const CHAINS = {
  visits: {
    shape: [17, 2],
    dtype: "float32",
    data: Float32Array.from({ length: 34 }, (_, i) => (i >> 1) / 20),
  },
} as const;

Deno.test("toBytes() rounds to the nearest level, clips, and refuses NaN", () => {
  const values = [0, 1, 0.5 / 255 - 1e-4, 0.5 / 255 + 1e-4, -3, 7, Infinity];
  assert.deepEqual([...toBytes(new Float32Array(values))], [0, 255, 0, 1, 0, 255, 255]);
  assert.throws(() => toBytes(new Float32Array([NaN])), NotFiniteError);
});

Deno.test("compileGenerator() draws new images in every batch, the same in every call", async () => {
  await using device = await openDevice("tfjs-cpu", { threads: 1 });
  const draw = async (count: number) => {
    const state = await device.upload({
      mean: { shape: [2, 3, 1], dtype: "float32", data: new Float32Array(6).fill(0.5) },
      steps: { shape: [], dtype: "int32", data: new Int32Array(1) },
    });
    await using generator = await compileGenerator(device, {
      model: TINY_METHOD.build(PROBLEM, TINY_METHOD.defaults),
      key: keyOf(3),
      state,
      count,
      image: TINY_DATASET.image,
    });
    const batches: ImageBatch[] = [];
    const use = (batch: ImageBatch) => void batches.push(batch);
    await generator.draw(state, { chains: CHAINS, use });
    return batches;
  };
  const batches = await draw(250);
  assert.deepEqual(batches.map(({ count }) => count), [100, 100, 50]);
  assert.deepEqual(batches.map(({ pixels }) => pixels.length), [600, 600, 300]);
  assert.notDeepEqual(batches[0].pixels, batches[1].pixels);
  assert.deepEqual(await draw(250), batches);
  const fewer = await draw(130);
  assert.deepEqual(fewer[0], batches[0]);
  assert.deepEqual(fewer[1].pixels, batches[1].pixels.subarray(0, 30 * 6), "a prefix");
});

Deno.test("compileGenerator() gives samples of a conditional model the labels of the classes in turn", async () => {
  await using device = await openDevice("tfjs-cpu", { threads: 1 });
  const labelsOf = async (conditional?: Model["conditional"]) => {
    const state = await device.upload({
      mean: { shape: [2, 3, 1], dtype: "float32", data: new Float32Array(6).fill(0.5) },
      steps: { shape: [], dtype: "int32", data: new Int32Array(1) },
    });
    const model = TINY_METHOD.build(PROBLEM, TINY_METHOD.defaults);
    await using generator = await compileGenerator(device, {
      model: { ...model, conditional },
      key: keyOf(3),
      state,
      count: 102,
      image: TINY_DATASET.image,
    });
    const found: (readonly number[] | undefined)[] = [];
    const use = ({ labels }: ImageBatch) => void found.push(labels && [...labels]);
    await generator.draw(state, { chains: CHAINS, use });
    return found;
  };
  assert.deepEqual(await labelsOf(), [undefined, undefined]);
  const sample = () => assert.fail("not called");
  const [first, second] = await labelsOf({ classCount: 3, sample });
  assert.deepEqual(first?.slice(0, 7), [0, 1, 2, 0, 1, 2, 0]);
  assert.deepEqual([first?.length, second], [100, [0, 1]]); // each call of sample() starts with class 0
});

Deno.test("compileGenerator() passes persistent chains to sample(), each row once before any repeats", async () => {
  await using device = await openDevice("tfjs-cpu", { threads: 1 });
  const method = tinyWith(() => ({
    // The first pixel shows the chain that the image came from.
    sample: (_state, { chains }) => {
      const first = tf.slice(chains.visits as tf.Tensor2D, [0, 0], [-1, 1]);
      return tf.tile(tf.reshape(first, [-1, 1, 1, 1]), [1, 2, 3, 1]) as tf.Tensor4D;
    },
  }));
  const state = await device.upload({});
  await using generator = await compileGenerator(device, {
    model: method.build(PROBLEM, method.defaults),
    key: keyOf(3),
    state,
    count: 34,
    image: TINY_DATASET.image,
  });
  const rows: number[] = [];
  await generator.draw(state, {
    chains: CHAINS,
    use: ({ pixels, count }) => {
      for (let i = 0; i < count; i++) rows.push(Math.round(pixels[6 * i] / 255 * 20));
    },
  });
  const all = Array.from({ length: 17 }, (_, i) => i);
  assert.deepEqual(rows.slice(0, 17).toSorted((a, b) => a - b), all);
  assert.deepEqual(rows.slice(17).toSorted((a, b) => a - b), all);
  assert.notDeepEqual(rows.slice(0, 17), all, "in random order");
});
