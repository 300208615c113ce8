import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../core/noise.ts";
import { repeat } from "../../core/repeat.ts";
import type { HostArray, HostArrays, PureFunction, State } from "../../core/types.ts";
import { emitOnnx } from "../onnx/onnx.ts";
import { compileOnnx, openOnnxRuntime } from "../onnx/ort.ts";
import { insideOf, type Loop, schedule } from "./loops.ts";
import { rewriteLoops } from "./rewrite_loops.ts";
import type { ChunkRule } from "./split_batch.ts";
import { trace } from "./trace.ts";

const array = (shape: readonly number[]): HostArray => {
  const length = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: "float32", data: Float32Array.from({ length }, (_, i) => Math.sin(i)) };
};
const STATE: HostArrays = { w: array([4, 4]), filter: array([3, 3, 1, 2]) };
const INPUTS: HostArrays = {
  images: array([6, 4]),
  step: { shape: [], dtype: "int32", data: Int32Array.of(3) },
};
const SPECS = { state: STATE, inputs: INPUTS };

/** `repeat` without a loop in the graph. */
const writtenOut: typeof repeat = (count, state, body, each) => {
  for (let i = 0; i < count; i++) {
    const rows = Object.entries(each ?? {}).map(([name, t]) => {
      const begin = [i, ...t.shape.slice(1).map(() => 0)];
      const row = tf.slice(t, begin, [1, ...t.shape.slice(1)]);
      return [name, tf.reshape(row, t.shape.slice(1))] as const;
    });
    state = body(state, Object.fromEntries(rows) as never);
  }
  return state;
};

/** Chains z with noise, an inner loop, a convolution with a captured filter, and a carried `w` that never changes. */
function chains(loop: typeof repeat, count: number): PureFunction {
  return ({ state: { w, filter }, inputs: { images, step } }) => {
    const xi = createNoise(keyOf(7), step as tf.Scalar).normal([count, 6, 4]);
    const image = (z: tf.Tensor) => tf.reshape(z, [6, 2, 2, 1]) as tf.Tensor4D;
    const start: State = { z: images, w, total: tf.zeros([6]) };
    const { z, total } = loop(count, start, ({ z, w, total }, { xi }) => {
      const pulled = tf.matMul(z, w, false, true);
      const { h } = loop(3, { h: pulled }, ({ h }) => ({ h: tf.tanh(tf.sub(h, z)) }), {});
      const seen = tf.conv2d(image(h), filter as tf.Tensor4D, 1, "same");
      const next = tf.add(tf.sub(z, tf.mul(tf.mean(seen, [1, 2, 3]).expandDims(1), 0.1)), xi);
      return { z: next, w, total: tf.add(total, tf.sum(next, 1)) };
    }, { xi });
    return { outputs: { z, total, first: tf.matMul(images, w, false, true) } };
  };
}

Deno.test("rewriteLoops() shares the first iteration with the rest of the graph and carries only what changes", () => {
  const { builder, outputs } = trace(chains(repeat, 9), SPECS);
  const values = schedule(rewriteLoops(builder, Object.values(outputs)));
  const loops = values.filter((v): v is Loop => v.op === "loop");
  const outer = loops.find(({ count }) => count === 8);
  assert(outer, `loops of ${loops.map(({ count }) => count)} iterations, expected 8 of 9`);
  assert.equal(outer.from, 1);
  assert.equal(outer.body.carried.length, 2); // z and total, not w
  const products = values.filter(({ op }) => op === "matmul");
  assert.equal(products.length, 1); // of `first` and of the first iteration
  const inner = insideOf(outer).filter((v) => v.op === "loop");
  assert.deepEqual(inner.map(({ count }) => count), [2]);
});

Deno.test("emitOnnx() writes a loop of 500 iterations with as many nodes as one of 5", () => {
  const nodes = (count: number) =>
    emitOnnx(trace(chains(repeat, count), SPECS), { block: 16 }).nodeCount;
  assert.equal(nodes(500), nodes(5));
});

Deno.test("A compiled loop gives the bits of its iterations written out, whole and in chunks of the batch", async () => {
  await using device = await openOnnxRuntime({ threads: 1 });
  const chunks: ChunkRule = { wide: 8, elements: 8, minPositions: 1, minDepth: 1 };
  const bits = async (fn: PureFunction, batch?: number) => {
    const options = { threads: 1, block: 0, batch, ...batch && { chunks } };
    await using program = await compileOnnx(fn, SPECS, options);
    const { outputs } = await program.run(await device.upload(STATE), INPUTS);
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...data]]));
  };
  for (const count of [0, 1, 2, 3, 7]) {
    for (const batch of [undefined, 6]) {
      const expected = await bits(chains(writtenOut, count), batch);
      const what = `${count} iterations, ${batch ? "in chunks" : "whole"}`;
      assert.deepEqual(await bits(chains(repeat, count), batch), expected, what);
    }
  }
});
