import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { keyOf } from "../core/noise.ts";
import { startStopwatch } from "../core/stopwatch.ts";
import { openDevice } from "../engine/device.ts";
import { TINY_DATASET, TINY_METHOD, tinyWith } from "../testing/tiny.ts";
import type { LearnedPrior, Model } from "../core/types.ts";
import { checkPrior, latentMoments } from "./prior_check.ts";

const PROBLEM = { image: TINY_DATASET.image, trainCount: 17, batchSize: 4 };

/** Standard normal latents times `scale`; the energy is ||z||^2 / 2. */
const scaled = (scale: number): LearnedPrior => ({
  energy: (_state, z) => tf.mul(tf.sum<tf.Tensor1D>(tf.square(z), 1), 0.5),
  negatives: (_state, count, noise) => tf.mul(noise.normal<tf.Tensor2D>([count, 2]), scale),
  longChains: (_state, count) => tf.fill([count, 2], NaN),
});

async function check(model: Model) {
  await using device = await openDevice("tfjs-cpu", { threads: 1 });
  return await checkPrior({}, {
    model,
    device,
    key: keyOf(0),
    images: await TINY_DATASET.load("train"),
    trainCount: 17,
    stopwatch: startStopwatch(),
  });
}

Deno.test("latentMoments() is the mean energy and the trace of the sample covariance", () => {
  const array = (data: number[], shape: number[]) =>
    ({ data: Float32Array.from(data), shape, dtype: "float32" }) as const;
  const moments = latentMoments(array([1, 0, 2, 0, 3, 6], [3, 2]), array([1, 2, 6], [3]));
  assert.equal(moments.energy, 3);
  const trace = 1 + 12; // variances of 1, 2, 3 and of 0, 0, 6
  assert.ok(moments.trace !== null && Math.abs(moments.trace - trace) < 1e-9, `${moments.trace}`);
});

Deno.test("checkPrior() measures each set of latents, with null for what is not finite", async () => {
  const method = tinyWith(() => ({ learnedPrior: scaled(10) }));
  const result = await check(method.build(PROBLEM, method.defaults));
  assert.equal(result?.count, 17, "no more than there are training images");
  assert.deepEqual(result.longChains, { energy: null, trace: null });
  // 17 draws of N(0, 1) in two dimensions: a chi-squared of 32 degrees over 16, 2 +- 0.5; four standard errors.
  const { posterior, negatives } = result;
  assert.ok(posterior.trace !== null && Math.abs(posterior.trace - 2) < 2, `${posterior.trace}`);
  assert.ok(negatives.trace !== null && Math.abs(negatives.trace / 100 - 2) < 2);
  assert.ok(negatives.energy !== null && Math.abs(negatives.energy / 100 - 1) < 1);
});

Deno.test("checkPrior() asks nothing of a model without a learned prior", async () => {
  assert.equal(await check(TINY_METHOD.build(PROBLEM, TINY_METHOD.defaults)), undefined);
});
