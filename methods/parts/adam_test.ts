import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { adam, BETA1, BETA2, initAdam } from "./adam.ts";

Deno.test("adam() follows Kingma and Ba's algorithm 1 in float64", async () => {
  await tf.setBackend("cpu");
  const rate = 0.01;
  const gradientAt = (t: number, w: number) => w + Math.sin(t);
  let [w, m, v] = [1, 0, 0];
  const params = { w: tf.scalar(w) };
  let state = { params, slots: initAdam(params) };
  for (let t = 1; t <= 20; t++) {
    const g = gradientAt(t, w);
    state = adam(state, {
      gradients: { w: tf.scalar(g) },
      learningRate: rate,
      step: tf.scalar(t - 1, "int32"),
    });
    m = BETA1 * m + (1 - BETA1) * g;
    v = BETA2 * v + (1 - BETA2) * g * g;
    w -= rate * (m / (1 - BETA1 ** t)) / (Math.sqrt(v / (1 - BETA2 ** t)) + 1e-8);
    // Float32 rounds to 6e-8 a step, and 1 - beta2^t loses 1e-3 of that as t = 1: 6e-5 of a step of 0.01.
    assert.ok(Math.abs(state.params.w.dataSync()[0] - w) < 1e-6 * t);
  }
});

Deno.test("adam() makes a first step of the learning rate against the sign of the gradient", async () => {
  await tf.setBackend("cpu");
  const params = { w: tf.tensor1d([5, 5, 5]) };
  const next = adam({ params, slots: initAdam(params) }, {
    gradients: { w: tf.tensor1d([1e-3, -20, 0]) },
    learningRate: 0.1,
    step: tf.scalar(0, "int32"),
  });
  const steps = [...next.params.w.dataSync()].map((w) => w - 5);
  [-0.1, 0.1, 0].forEach((expected, i) => assert.ok(Math.abs(steps[i] - expected) < 2e-5));
});
