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

Deno.test("descend() with sgd moves sigma as descent in tau does", async () => {
  await tf.setBackend("cpu");
  const softplus = (t: number) => Math.log1p(Math.exp(-Math.abs(t))) + Math.max(0, t);
  // From broad to narrow: tau = -2, 0 (LAE's start) and 300, where e^tau would not fit float32.
  for (const tau of [-2, 0, 300]) {
    const logSigmaOf = (t: number) => -0.5 * Math.log(softplus(t));
    const [gradient, learningRate] = [40, 0.01];
    const h = 1e-4;
    const slope = (logSigmaOf(tau + h) - logSigmaOf(tau - h)) / (2 * h);
    const expected = logSigmaOf(tau - learningRate * gradient * slope);
    const next = descend({ logSigma: tf.scalar(logSigmaOf(tau)) }, {
      optimizer: "sgd",
      gradients: { logSigma: tf.scalar(gradient) },
      learningRate,
      step: tf.scalar(0, "int32"),
    });
    assert.ok(Math.abs(next.logSigma.dataSync()[0] - expected) < 2e-6, `tau ${tau}`);
  }
});
