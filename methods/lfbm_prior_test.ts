/** LFBM's learned prior on a model whose answers are closed-form: linear nets, and couplings that stand still. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { toTensors } from "../harness/core/host_arrays.ts";
import { createNoise, keyOf } from "../harness/core/noise.ts";
import { flatten, unflatten } from "../harness/core/tree.ts";
import type { HostArrays, JointDensity, Latents, Matrix, Model } from "../harness/core/types.ts";
import { openDevice } from "../harness/engine/device.ts";
import { mean } from "../harness/statistics/summary.ts";
import { lfbm } from "./lfbm.ts";
import { asImages, negLogEvidence, spectralData } from "./testing/linear_gaussian.ts";
import { initialState, tinyHyper, train } from "./testing/tiny_problem.ts";

/** Eigenvalues of the data's covariance: two directions that the decoder reaches, and noise. */
const KEPT = [0.8, 0.4];
const VARIANCE = 0.1;
const PIXELS = 8;
const COUNT = 64;

/** x = A z + b + noise with orthonormal columns A: the data then want z ~ N(WANTED_MEAN, diag(KEPT - VARIANCE)). */
const WANTED_MEAN = [0.5, -0.3];

/** The moments of rows of two numbers: means, and the covariance [[c00, c01], [c01, c11]]. */
function momentsOf(rows: Matrix): { readonly mean: number[]; readonly covariance: number[][] } {
  const means = [0, 1].map((i) => mean(rows.map((row) => row[i])));
  const product = (i: number, j: number) =>
    mean(rows.map((row) => (row[i] - means[i]) * (row[j] - means[j])));
  return {
    mean: means,
    covariance: [[product(0, 0), product(0, 1)], [product(1, 0), product(1, 1)]],
  };
}

Deno.test("a flow without couplings learns the prior of probabilistic PCA, and agrees with the pooled posteriors", async () => {
  const data = spectralData({
    count: COUNT,
    eigenvalues: [...KEPT, ...Array<number>(PIXELS - 2).fill(VARIANCE)],
    meanLength: 0.5,
    seed: 0,
  });
  const columns = data.axes.slice(0, 2);
  const offset = data.mean.map((m, p) =>
    m - columns.reduce((sum, a, k) => sum + a[p] * WANTED_MEAN[k], 0)
  );
  const problem = {
    image: { height: 1, width: PIXELS, channels: 1 },
    trainCount: COUNT,
    batchSize: COUNT,
  };
  // A precision of 11 to 13 at the fixed point: 12 steps of 0.04 forget all but 0.1 % of the start.
  const [posteriorSteps, posteriorStepSize] = [12, 0.04];
  const of = (learningRate: number): Model => {
    const model = lfbm.build(
      problem,
      tinyHyper(lfbm, {
        nets: "linear",
        latentDim: 2,
        sigma: Math.sqrt(VARIANCE),
        flowDepth: 1,
        posteriorSteps,
        posteriorStepSize,
        learningRate,
        decay: 1,
      }),
    ) as Model;
    // The decoder is the true one, and stays.
    const isStill = (name: string) => /^decoder\/|\/coupling\//.test(name);
    return {
      ...model,
      step: (state, batch, noise) => {
        const result = model.step(state, batch, noise);
        const [before, after] = [state, result.state].map(flatten);
        const held = Object.entries(after).map(([name, t]) =>
          [name, isStill(name) ? before[name] : t] as const
        );
        return { ...result, state: unflatten(Object.fromEntries(held)) };
      },
    };
  };
  const start = await initialState(of(1), 0);
  const known: HostArrays = {
    ...start,
    "decoder/0/weight": { ...start["decoder/0/weight"], data: Float32Array.from(columns.flat()) },
    "decoder/0/bias": { ...start["decoder/0/bias"], data: Float32Array.from(offset) },
  };
  await using device = await openDevice("cpu", { threads: 1 });
  const shared = { device, problem, seed: 0, images: asImages(data.rows) };
  const fast = await train(of(0.02), { ...shared, steps: [0, 300], state: known });
  const { state } = await train(of(0.002), { ...shared, steps: [300, 450], state: fast.state });

  await tf.setBackend("cpu");
  const model = of(1);
  const [prior, posterior] = tf.tidy(() => {
    const tree = unflatten(toTensors(state));
    const { images } = shared;
    const x = tf.tensor4d(images.data as Float32Array, [COUNT, 1, PIXELS, 1]);
    const noise = createNoise(keyOf(1), tf.scalar(0, "int32"));
    const { infer } = model.latents as Latents;
    const { drawLatents } = model.joint as JointDensity;
    const pooled = Array.from(
      { length: 20 },
      (_, i) => infer(tree, x, noise.split("infer", i)).arraySync() as number[][],
    );
    return [
      drawLatents(tree, 20_000, noise.split("prior")).arraySync() as number[][],
      pooled.flat(),
    ];
  });
  const [flow, pooled] = [prior, posterior].map(momentsOf);

  // z = M e + c with e ~ N(0, I): the evidence of the model with the columns A M and the offset b + A c.
  const [[p, q], [, r]] = flow.covariance;
  const root = [[Math.sqrt(p), q / Math.sqrt(p)], [0, Math.sqrt(r - q * q / p)]];
  const evidence = negLogEvidence(data.rows, {
    columns: root.map((row) =>
      data.mean.map((_, j) => row[0] * columns[0][j] + row[1] * columns[1][j])
    ),
    offset: offset.map((b, j) => b + columns.reduce((sum, a, k) => sum + a[j] * flow.mean[k], 0)),
    variance: VARIANCE,
  });
  const logs = [...KEPT, ...Array<number>(PIXELS - 2).fill(VARIANCE)].map(Math.log);
  const best = 0.5 * (logs.reduce((a, b) => a + b, 0) + PIXELS * (1 + Math.log(2 * Math.PI)));
  assert.ok(evidence > best - 1e-3 && evidence < best + 0.02, `-log p ${evidence}, best ${best}`);

  // 20 draws for each of 64 images, and chains that inflate variances by 1 / (1 - 0.04 x 13 / 2), as those of training did.
  const count = 20 * COUNT;
  for (const i of [0, 1]) {
    const variance = flow.covariance[i][i];
    const apart = Math.abs(flow.mean[i] - pooled.mean[i]);
    assert.ok(apart < 3 * Math.sqrt(variance / count), `means ${flow.mean}, ${pooled.mean}`);
    assert.ok(Math.abs(flow.mean[i] - WANTED_MEAN[i]) < 0.05, `mean ${flow.mean}`);
    for (const j of [0, 1]) {
      const other = flow.covariance[j][j];
      const error = Math.sqrt((variance * other + flow.covariance[i][j] ** 2) / count);
      const off = Math.abs(flow.covariance[i][j] - pooled.covariance[i][j]);
      assert.ok(off < 3 * error, `covariances ${flow.covariance}, ${pooled.covariance}`);
    }
  }
});
