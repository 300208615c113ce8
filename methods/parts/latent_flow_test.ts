import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { mapTree } from "../../harness/core/tree.ts";
import { openDevice } from "../../harness/engine/device.ts";
import { flatten, unflatten } from "../../harness/core/tree.ts";
import type { HostArrays } from "../../harness/core/types.ts";
import { toArrays } from "../../harness/core/host_arrays.ts";
import { adam, initAdam } from "./adam.ts";
import { lossAndGradients } from "./gradients.ts";
import {
  flowForward,
  flowInverse,
  flowLogDensity,
  flowMacs,
  type FlowPivots,
  initLatentFlow,
  type LatentFlow,
  mixingResidual,
  readyFlow,
} from "./latent_flow.ts";

const noiseOf = (seed: number) => createNoise(keyOf(seed), tf.scalar(0, "int32"));

/** A flow whose parameters have all moved by `amount` times a standard normal draw. */
function moved(latentDim: number, amount: number) {
  const { flow, pivots } = initLatentFlow({ latentDim, depth: 5 }, noiseOf(0));
  const noise = noiseOf(1);
  const away = mapTree(
    flow,
    ([t], path) => tf.add(t, tf.mul(noise.split(path).normal(t.shape), amount)),
  );
  return readyFlow(away, pivots);
}

Deno.test("initLatentFlow() has the released code's size, and refuses odd dimensions in one line", async () => {
  await tf.setBackend("cpu");
  // Counted in model.py, less the bias of 64 in each hidden layer that its actnorm leaves without use; W has d ones less, L's.
  for (const [latentDim, parameters, macs] of [[100, 122_400, 118_480], [32, 43_520, undefined]]) {
    assert.ok(latentDim !== undefined);
    const { flow } = initLatentFlow({ latentDim, depth: 5 }, noiseOf(0));
    const sizes = Object.entries(flatten(flow)).map(([name, t]) =>
      name.endsWith("mixing/logScale") || name.endsWith("mixing/lower") ? 0 : t.size
    );
    assert.equal(sizes.reduce((a, b) => a + b, 0), parameters! - 5 * 2 * 64);
    if (macs !== undefined) assert.equal(flowMacs({ latentDim, depth: 5 }), macs);
  }
  assert.throws(
    () => initLatentFlow({ latentDim: 3, depth: 5 }, noiseOf(0)),
    /^RangeError: latentDim must be even for a flow with couplings, got 3$/,
  );
});

Deno.test("flowForward() starts with the log-determinant of couplings at sigmoid(2) and rotations", async () => {
  await tf.setBackend("cpu");
  const { flow, pivots } = initLatentFlow({ latentDim: 100, depth: 5 }, noiseOf(0));
  // With actnorms at zero: 5 x 50 x log 0.880797.
  const plain = mapTree(flow, ([t], path) => path.includes("actnorm") ? tf.zerosLike(t) : t);
  const { logDet } = flowForward(readyFlow(plain, pivots), noiseOf(1).normal([3, 100]));
  for (const value of logDet.dataSync()) assert.ok(Math.abs(value + 31.732) < 1e-3, `${value}`);
  // The mixing is a rotation: norms stay.
  const [{ matrix }] = readyFlow(plain, pivots);
  const gram = tf.matMul(matrix, matrix, false, true);
  const off = tf.max(tf.abs(tf.sub(gram, tf.eye(100)))).dataSync()[0];
  assert.ok(off < 1e-5, `${off}`);
});

Deno.test("flowInverse() inverts flowForward(), at the start and away from it", async () => {
  await tf.setBackend("cpu");
  for (const [latentDim, amount] of [[32, 0], [32, 0.02], [128, 0.02]]) {
    tf.tidy(() => {
      const flow = moved(latentDim, amount);
      const z = noiseOf(2).normal<tf.Tensor2D>([20, latentDim]);
      const back = flowInverse(flow, flowForward(flow, z).noise);
      const error = tf.max(tf.abs(tf.sub(back, z))).dataSync()[0];
      assert.ok(error <= 1e-4, `d ${latentDim}, moved ${amount}: ${error}`);
    });
  }
  tf.tidy(() => {
    const flow = moved(32, 0.02);
    const e = noiseOf(2).normal<tf.Tensor2D>([20, 32]);
    const error = tf.max(tf.abs(tf.sub(flowForward(flow, flowInverse(flow, e)).noise, e)));
    assert.ok(error.dataSync()[0] <= 1e-4, `there and back: ${error.dataSync()[0]}`);
    assert.ok(mixingResidual(flow).dataSync()[0] < 1e-4);
  });
});

Deno.test("flowForward() has the log-determinant of its numeric Jacobian", async () => {
  await tf.setBackend("cpu");
  const [d, h] = [4, 1e-2];
  tf.tidy(() => {
    const flow = moved(d, 0.05);
    const z = noiseOf(3).normal<tf.Tensor2D>([1, d]);
    const logDet = flowForward(flow, z).logDet.dataSync()[0];
    const at = (shift: number) =>
      flowForward(flow, tf.add(z, tf.mul(tf.eye(d), shift))).noise.arraySync();
    // Central differences at h and 2 h, extrapolated: the error is of order h^4.
    const [one, two] = [h, 2 * h].map((step) => {
      const [up, down] = [at(step), at(-step)];
      return up.map((row, i) => row.map((v, j) => (v - down[i][j]) / (2 * step)));
    });
    const jacobian = one.map((row, i) => row.map((v, j) => (4 * v - two[i][j]) / 3));
    assert.ok(Math.abs(Math.log(Math.abs(determinant(jacobian))) - logDet) < 1e-3, `${logDet}`);
  });
});

/** By elimination. */
function determinant(matrix: readonly (readonly number[])[]): number {
  const a = matrix.map((row) => [...row]);
  return a.reduce((det, _, j) => {
    for (let i = j + 1; i < a.length; i++) {
      const f = a[i][j] / a[j][j];
      for (let c = j; c < a.length; c++) a[i][c] -= f * a[j][c];
    }
    return det * a[j][j];
  }, 1);
}

/** log density of eight Gaussians of deviation 1/2 on a circle of radius 4. */
function eightGaussians(x: number, y: number): number {
  const terms = Array.from({ length: 8 }, (_, k) => {
    const [dx, dy] = [x - 4 * Math.cos(k * Math.PI / 4), y - 4 * Math.sin(k * Math.PI / 4)];
    return Math.exp(-(dx * dx + dy * dy) / 0.5);
  });
  return Math.log(terms.reduce((a, b) => a + b, 0) / 8 / (2 * Math.PI * 0.25) + 1e-300);
}

/** Adam on the flow's log density of eight Gaussians, 256 draws a step. */
async function fitted(steps: number): Promise<{ state: HostArrays; pivots: FlowPivots }> {
  const { flow, pivots } = initLatentFlow({ latentDim: 2, depth: 5 }, noiseOf(0));
  await using device = await openDevice("cpu", { threads: 1 });
  const state = toArrays({ flow, adam: initAdam(flow) });
  const inputs = { step: { shape: [], dtype: "int32", data: Int32Array.of(0) } } as const;
  await using program = await device.compile(({ state, inputs }) => {
    const step = inputs.step as tf.Scalar;
    const noise = createNoise(keyOf(5), step);
    const tree = unflatten(state) as {
      flow: LatentFlow;
      adam: ReturnType<typeof initAdam<LatentFlow>>;
    };
    const mode = tf.mul(
      tf.cast(tf.cast(tf.mul(noise.split("mode").uniform([256, 1]), 8), "int32"), "float32"),
      Math.PI / 4,
    );
    const centre = tf.mul(tf.concat([tf.cos(mode), tf.sin(mode)], 1), 4);
    const x: tf.Tensor2D = tf.add(centre, tf.mul(noise.split("x").normal([256, 2]), 0.5));
    const { parts, gradients } = lossAndGradients((flow) => ({
      loss: tf.neg<tf.Scalar>(tf.mean(flowLogDensity(readyFlow(flow, pivots), x))),
    }), tree.flow);
    const next = adam({ params: tree.flow, slots: tree.adam }, {
      gradients,
      learningRate: 3e-3,
      step,
    });
    return { state: flatten({ flow: next.params, adam: next.slots }), outputs: parts };
  }, { state, inputs });
  let uploaded = await device.upload(state);
  for (let t = 0; t < steps; t++) {
    const step = { shape: [], dtype: "int32", data: Int32Array.of(t) } as const;
    uploaded = (await program.run(uploaded, { step })).state;
  }
  return { state: await device.download(uploaded), pivots };
}

Deno.test("flowLogDensity() integrates to 1, and fits eight Gaussians better than any Gaussian", async () => {
  const { state, pivots } = await fitted(1500);
  await tf.setBackend("cpu");
  const { flow: start } = initLatentFlow({ latentDim: 2, depth: 5 }, noiseOf(0));
  const { flow } = unflatten(
    Object.fromEntries(
      Object.entries(state).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape])]),
    ),
  ) as { flow: LatentFlow };
  const cells = 200;
  const centres = Array.from({ length: cells }, (_, i) => -8 + 16 * (i + 0.5) / cells);
  const grid = tf.tensor2d(centres.flatMap((x) => centres.map((y) => [x, y])));
  const area = (16 / cells) ** 2;
  const massOf = (params: LatentFlow) =>
    tf.tidy(() => flowLogDensity(readyFlow(params, pivots), grid).dataSync() as Float32Array);
  const before = massOf(start).reduce((sum, l) => sum + Math.exp(l) * area, 0);
  const log = massOf(flow);
  const after = log.reduce((sum, l) => sum + Math.exp(l) * area, 0);
  const kl = centres.flatMap((x) => centres.map((y) => eightGaussians(x, y)))
    .reduce((sum, l, i) => sum + Math.exp(l) * (l - log[i]) * area, 0);
  assert.ok(Math.abs(before - 1) < 1e-3, `at the start ${before}`);
  assert.ok(Math.abs(after - 1) < 2e-3, `after training ${after}`);
  // The best Gaussian is at 1.423 nats.
  assert.ok(kl < 0.3, `KL(eight Gaussians || flow) ${kl}`);
});
