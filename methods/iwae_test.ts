import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../harness/core/noise.ts";
import { unflatten } from "../harness/core/tree.ts";
import type { HostArrays } from "../harness/core/types.ts";
import { iwae } from "./iwae.ts";
import { toArrays, toTensor, toTensors } from "../harness/core/host_arrays.ts";
import { asImages, negLogEvidence, spectralData } from "./testing/linear_gaussian.ts";

const data = spectralData({
  count: 16,
  eigenvalues: [0.8, 0.4, 0.1, 0.1, 0.1, 0.1],
  meanLength: 0.5,
  seed: 0,
});
const problem = {
  image: { height: 1, width: 6, channels: 1 },
  trainCount: 16,
  batchSize: 16,
};
const hyperOf = (importanceSamples: number) => ({
  ...iwae.defaults,
  nets: "linear",
  latentDim: 2,
  sigma: 0.5,
  importanceSamples,
});

/** Columns of a decoder along the two first axes of the data, of lengths 0.9 and 0.6. */
const columns = data.axes.slice(0, 2).map((axis, k) => axis.map((v) => v * [0.9, 0.6][k]));

/** A state of linear nets whose q is the exact posterior N((a.(x - b)) / (|a|^2 + sigma^2), sigma^2 / (|a|^2 + sigma^2)) along each column a. */
async function exactState(): Promise<HostArrays> {
  await tf.setBackend("cpu");
  const noise = createNoise(keyOf(0), tf.scalar(0, "int32"));
  const state = toArrays(iwae.build(problem, hyperOf(1)).init(noise));
  const set = (name: string, values: readonly number[]) =>
    state[name] = { ...state[name], data: Float32Array.from(values) };
  const precisions = columns.map((a) => a.reduce((sum, v) => sum + v * v, 0.25) / 0.25);
  const gains = columns.map((a, k) => a.map((v) => v / (0.25 * precisions[k])));
  set("decoder/0/weight", columns.flat());
  set("decoder/0/bias", data.mean);
  set("encoder/0/weight", data.mean.flatMap((_, i) => [gains[0][i], gains[1][i], 0, 0]));
  const offsets = gains.map((g) => -g.reduce((sum, v, i) => sum + v * data.mean[i], 0));
  // The precision is softplus of the last two outputs.
  set("encoder/0/bias", [...offsets, ...precisions.map((p) => Math.log(Math.expm1(p)))]);
  return state;
}

Deno.test("step() has the loss -log p(x) for every draw where q is the posterior", async () => {
  const evidence = negLogEvidence(data.rows, { columns, offset: data.mean, variance: 0.25 });
  const state = await exactState();
  for (const k of [1, 2, 7]) {
    tf.tidy(() => {
      const step = tf.scalar(0, "int32");
      const batch = {
        images: toTensor<tf.Tensor4D>(asImages(data.rows)),
        rows: tf.range(0, 16, 1, "int32"),
        step,
        chains: {},
      };
      const model = iwae.build(problem, hyperOf(k));
      const losses = [1, 2, 3].map((seed) =>
        model.step(unflatten(toTensors(state)), batch, createNoise(keyOf(seed), step)).metrics.loss
          .dataSync()[0]
      );
      // Float32 sums of 8 terms up to 10: 1e-5.
      for (const loss of losses) assert.ok(Math.abs(loss - evidence) < 2e-5, `${k}: ${losses}`);
    });
  }
});

Deno.test("step() has a loss that falls with k at the same state, and never below -log p(x)", async () => {
  const evidence = negLogEvidence(data.rows, { columns, offset: data.mean, variance: 0.25 });
  const exact = await exactState();
  // q too wide and off centre.
  const bias = exact["encoder/0/bias"];
  const [a, b] = bias.data;
  const state = {
    ...exact,
    "encoder/0/bias": { ...bias, data: Float32Array.of(a + 0.3, b - 0.3, 1, 1) },
  };
  const means = tf.tidy(() => {
    const step = tf.scalar(0, "int32");
    const images = toTensor<tf.Tensor4D>(asImages(data.rows));
    const batch = { images, rows: tf.range(0, 16, 1, "int32"), step, chains: {} };
    return [1, 4, 16, 64].map((k) => {
      const model = iwae.build(problem, hyperOf(k));
      const losses = Array.from(
        { length: 100 },
        (_, seed) =>
          tf.tidy(() =>
            model.step(unflatten(toTensors(state)), batch, createNoise(keyOf(seed), step)).metrics
              .loss.dataSync()[0]
          ),
      );
      const mean = losses.reduce((sum, l) => sum + l, 0) / losses.length;
      const variance = losses.reduce((sum, l) => sum + (l - mean) ** 2, 0) / losses.length;
      return { mean, error: Math.sqrt(variance / losses.length) };
    });
  });
  means.forEach(({ mean, error }, i) => {
    assert.ok(mean > evidence - 4 * error, `${mean} +- ${error} is below ${evidence}`);
    if (i > 0) assert.ok(mean < means[i - 1].mean - 4 * error, JSON.stringify(means));
  });
});
