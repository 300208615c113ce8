import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../core/noise.ts";
import type { Device, HostArray, HostArrays, PureFunction } from "../../core/types.ts";
import { openOnnxRuntime } from "./ort.ts";
import { openOnnxThread } from "./ort_thread.ts";

const START: HostArrays = {
  x: { shape: [2, 3], dtype: "float32", data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  kept: { shape: [3], dtype: "float32", data: Float32Array.of(1, 0, -1) },
};
const SPECS = { state: START, inputs: { step: { shape: [], dtype: "int32" } } } as const;

/** A noisy step that leaves part of the state unchanged. */
const step: PureFunction = ({ state: { x, kept }, inputs }) => {
  const noise = createNoise(keyOf(7), inputs.step as tf.Scalar).normal([2, 3]);
  const next = tf.add(tf.mul(x, kept), noise);
  return { state: { x: next }, outputs: { sum: tf.sum(next) } };
};

function int32(value: number): HostArray {
  return { shape: [], dtype: "int32", data: Int32Array.of(value) };
}

Deno.test("openOnnxThread() computes the same bits as openOnnxRuntime(), and copies uploads", async () => {
  await using here = await openOnnxRuntime({ threads: 1 });
  await using there = await openOnnxThread({ threads: 1 });
  const results = await Promise.all([here, there].map(async (device) => {
    await using program = await device.compile(step, SPECS);
    let state = await device.upload(START);
    const sums: number[] = [];
    for (let i = 0; i < 5; i++) {
      const result = await program.run(state, { step: int32(i) });
      state = result.state;
      sums.push(result.outputs.sum.data[0]);
    }
    const end = await device.download(state);
    return { sums, x: [...end.x.data], kept: [...end.kept.data] };
  }));
  assert.deepEqual(results[1], results[0]);
  assert.deepEqual(results[1].kept, [1, 0, -1]);
  assert.deepEqual([...START.x.data], [1, 2, 3, 4, 5, 6]);
});

Deno.test("openOnnxThread() passes errors on", async () => {
  await using device = await openOnnxThread({ threads: 1 });
  await using program = await device.compile(step, SPECS);
  const state = await device.upload({ ...START, x: { ...START.x, shape: [3, 2] } });
  await assert.rejects(
    program.run(state, { step: int32(0) }),
    ({ message, stack }: Error) => /x/.test(message) && /ort_worker\.ts/.test(stack ?? ""), // with the stack of the worker
  );
});

/** Turns of this thread's event loop while a program of about 60 ms runs once. */
async function turnsDuring(device: Device): Promise<number> {
  const size = { shape: [400, 400], dtype: "float32" } as const;
  await using program = await device.compile(({ state: { x } }) => {
    let y = x;
    for (let i = 0; i < 40; i++) y = tf.matMul(y, x);
    return { state: { x: y }, outputs: {} };
  }, { state: { x: size }, inputs: {} });
  const state = await device.upload({ x: { ...size, data: new Float32Array(160_000) } });
  let turns = 0;
  const clock = setInterval(() => turns++, 1);
  await program.run(state, {});
  clearInterval(clock);
  return turns;
}

Deno.test("openOnnxThread() does not block the calling thread, whereas openOnnxRuntime() does", async () => {
  await using here = await openOnnxRuntime({ threads: 1 });
  await using there = await openOnnxThread({ threads: 1 });
  const [busy, free] = [await turnsDuring(here), await turnsDuring(there)];
  assert.ok(busy <= 3 && free > 5, `${busy} turns here, ${free} there`);
});
