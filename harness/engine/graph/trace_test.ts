import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../core/noise.ts";
import type { ArraySpec, PureFunction } from "../../core/types.ts";
import { repeat } from "../../core/repeat.ts";
import { trace } from "./trace.ts";

const f32 = (...shape: number[]): ArraySpec => ({ shape, dtype: "float32" });
const STEP: ArraySpec = { shape: [], dtype: "int32" };
const specs = { state: { w: f32(20, 20) }, inputs: { step: STEP } };
const refuses = (fn: PureFunction, message: RegExp) =>
  assert.throws(() => trace(fn, specs), message);

Deno.test("trace() refuses a value read inside the step", () => {
  refuses(({ state }) => {
    if (tf.sum(state.w).dataSync()[0] > 0) throw new Error("unreachable");
    return { outputs: {} };
  }, /value was read inside a compiled step/);
});

Deno.test("trace() refuses host random numbers, large and small", () => {
  refuses(
    ({ state }) => ({ outputs: { y: tf.add(state.w, tf.randomNormal([20, 20])) } }),
    /random number/,
  );
  refuses(
    ({ state }) => ({ outputs: { y: tf.add(state.w, tf.randomUniform([20])) } }),
    /random number/,
  );
});

Deno.test("trace() refuses an array that would be frozen, created inside or outside", async () => {
  const values = Float32Array.from({ length: 400 }, (_, i) => i);
  refuses(
    ({ state }) => ({ outputs: { y: tf.add(state.w, tf.tensor(values, [20, 20])) } }),
    /frozen into the compiled step/,
  );
  await tf.setBackend("cpu");
  const outside = tf.tensor(values, [20, 20]);
  refuses(
    ({ state }) => ({ outputs: { y: tf.add(state.w, outside) } }),
    /frozen into the compiled step/,
  );
});

Deno.test("trace() refuses a kernel that is not compiled and names it", () => {
  refuses(({ state }) => ({ outputs: { y: tf.cumsum(state.w) } }), /kernel .*Cumsum/);
});

Deno.test("trace() refuses a state entry of another name, shape or type", () => {
  refuses(
    ({ state }) => ({ state: { v: state.w }, outputs: {} }),
    /state entry "v" that it was not given/,
  );
  refuses(
    ({ state }) => ({ state: { w: tf.sum(state.w, 0) }, outputs: {} }),
    /changed state "w" .*\[20,20\] to float32 \[20\]/,
  );
});

Deno.test("trace() refuses noise drawn twice from one path or inside a loop", () => {
  refuses(({ inputs }) => {
    const noise = createNoise(keyOf(0), inputs.step as tf.Scalar);
    return { outputs: { y: tf.add(noise.split("a").normal([2]), noise.split("a").normal([2])) } };
  }, /"a" was drawn twice/);
  refuses(({ inputs }) => {
    const noise = createNoise(keyOf(0), inputs.step as tf.Scalar);
    return {
      outputs: repeat(
        3,
        { z: tf.zeros([2]) },
        ({ z }) => ({ z: tf.add(z, noise.split("b").normal([2])) }),
      ),
    };
  }, /drawn inside repeat/);
});

Deno.test("repeat() refuses a gradient through the loop and a body that changes a shape", () => {
  refuses(({ state }) => {
    const loss = (w: tf.Tensor) => tf.sum(repeat(2, { w }, ({ w }) => ({ w: tf.mul(w, 2) })).w);
    return { outputs: { g: tf.grad(loss)(state.w) } };
  }, /do not pass through a loop/);
  refuses(
    ({ state }) => ({ outputs: repeat(2, { w: state.w }, ({ w }) => ({ w: tf.sum(w, 0) })) }),
    /must return "w" as float32 \[20,20\]/,
  );
});

Deno.test("trace() restores tfjs and omits unchanged state", async () => {
  await tf.setBackend("cpu");
  const { state, outputs } = trace(
    ({ state }) => ({ state: { w: state.w }, outputs: { m: tf.mean(state.w) } }),
    specs,
  );
  assert.deepEqual(Object.keys(state), []);
  assert.deepEqual(Object.keys(outputs), ["m"]);
  assert.equal(tf.getBackend(), "cpu");
  assert.equal(tf.add(1, 2).dataSync()[0], 3);
  assert.ok(Math.random() < 1);
});
