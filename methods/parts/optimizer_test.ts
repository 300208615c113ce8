import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { flatten } from "../../harness/core/tree.ts";
import { adam, initAdam } from "./adam.ts";
import { optimizerOf } from "./optimizer.ts";

const step = tf.scalar(0, "int32");

Deno.test("descend() with sgd is w - learningRate g, and keeps nothing", async () => {
  await tf.setBackend("cpu");
  const params = { w: tf.tensor1d([1, -2]), net: { 0: { bias: tf.scalar(5) } } };
  const { init, descend } = optimizerOf<typeof params>({ optimizer: "sgd", learningRate: 0.25 });
  assert.deepEqual(init(params), {});
  const gradients = { w: tf.tensor1d([4, 8]), net: { 0: { bias: tf.scalar(-4) } } };
  const next = descend(params, { slots: {}, gradients, step });
  assert.deepEqual(Object.keys(flatten(next)), ["w", "net/0/bias"]);
  assert.deepEqual([...next.w.dataSync()], [0, -4]);
  assert.deepEqual([...next.net[0].bias.dataSync()], [6]);
});

Deno.test("descend() with adam is adam()", async () => {
  await tf.setBackend("cpu");
  const params = { w: tf.tensor1d([1, -2]) };
  const gradients = { w: tf.tensor1d([4, 8]) };
  const learningRate = 0.25;
  const { init, descend } = optimizerOf<typeof params>({ optimizer: "adam", learningRate });
  const ours = flatten(descend(params, { slots: init(params), gradients, step }));
  const slots = initAdam(params);
  const expected = adam({ params, slots }, { gradients, learningRate, step });
  for (const [name, t] of Object.entries(flatten({ ...expected.params, adam: expected.slots }))) {
    assert.deepEqual(ours[name].dataSync(), t.dataSync());
  }
});

Deno.test("descend() with adam refuses a state without slots", () => {
  const params = { w: tf.scalar(1) };
  const { descend } = optimizerOf<typeof params>({ optimizer: "adam", learningRate: 0.25 });
  assert.throws(() => descend(params, { slots: {}, gradients: params, step }), TypeError);
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
    const params = { logSigma: tf.scalar(logSigmaOf(tau)) };
    const { descend } = optimizerOf<typeof params>({ optimizer: "sgd", learningRate });
    const gradients = { logSigma: tf.scalar(gradient) };
    const next = descend(params, { slots: {}, gradients, step });
    assert.ok(Math.abs(next.logSigma.dataSync()[0] - expected) < 2e-6, `tau ${tau}`);
  }
});
