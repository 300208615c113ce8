import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { adam, initAdam } from "./adam.ts";
import { descend, initOptimizer } from "./optimizer.ts";

Deno.test("descend() with sgd is w - learningRate g, and keeps nothing", async () => {
  await tf.setBackend("cpu");
  const state = { w: tf.tensor1d([1, -2]), other: tf.scalar(5) };
  assert.deepEqual(initOptimizer(state, ["w"], { optimizer: "sgd" }), {});
  const next = descend(state, {
    optimizer: "sgd",
    gradients: { w: tf.tensor1d([4, 8]) },
    learningRate: 0.25,
    step: tf.scalar(0, "int32"),
  });
  assert.deepEqual([...next.w.dataSync()], [0, -4]);
  assert.equal(next.other, state.other);
});

Deno.test("descend() with adam is adam()", async () => {
  await tf.setBackend("cpu");
  const start = { w: tf.tensor1d([1, -2]) };
  const state = { ...start, ...initOptimizer(start, ["w"], { optimizer: "adam" }) };
  const options = {
    gradients: { w: tf.tensor1d([4, 8]) },
    learningRate: 0.25,
    step: tf.scalar(0, "int32"),
  };
  const ours = descend(state, { optimizer: "adam", ...options });
  const expected = adam({ ...start, ...initAdam(start, ["w"]) }, options);
  for (const [name, t] of Object.entries(expected)) {
    assert.deepEqual(ours[name].dataSync(), t.dataSync());
  }
});
