import assert from "node:assert/strict";
import { openDevice } from "../engine/device.ts";
import { keyOf } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { compileSampler, toBytes } from "./generator.ts";
import { TINY_DATASET, TINY_METHOD } from "../testing/tiny.ts";
import type { ImageBatch, Method } from "../core/types.ts";

Deno.test("toBytes() rounds to the nearest level, clips, and refuses NaN", () => {
  const values = [0, 1, 0.5 / 255 - 1e-4, 0.5 / 255 + 1e-4, -3, 7, Infinity];
  assert.deepEqual([...toBytes(new Float32Array(values))], [0, 255, 0, 1, 0, 255, 255]);
  assert.throws(() => toBytes(new Float32Array([NaN])), NotFiniteError);
});

Deno.test("compileSampler() draws the count asked in batches, every one anew, the same every time", async () => {
  await using device = await openDevice("tfjs-cpu", { threads: 1 });
  const draw = async (count: number) => {
    const state = await device.upload({
      mean: { shape: [2, 3, 1], dtype: "float32", data: new Float32Array(6).fill(0.5) },
      steps: { shape: [], dtype: "int32", data: new Int32Array(1) },
    });
    await using sampler = await compileSampler(device, {
      method: TINY_METHOD,
      hyper: TINY_METHOD.defaults,
      key: keyOf(3),
      state,
      count,
      image: TINY_DATASET.image,
    });
    const batches: ImageBatch[] = [];
    await sampler.draw(state, (batch) => {
      batches.push(batch);
    });
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
