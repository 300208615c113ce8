import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../harness/core/noise.ts";
import { flatten, unflatten } from "../harness/core/tree.ts";
import { openDevice } from "../harness/engine/device.ts";
import { abp } from "./abp.ts";
import { lfbm } from "./lfbm.ts";
import { toTensor, toTensors } from "../harness/core/host_arrays.ts";
import { withIdentityFlow } from "./testing/identity_flow.ts";
import {
  initialState,
  takeRows,
  TINY_PROBLEM,
  tinyHyper,
  tinyImages,
  train,
} from "./testing/tiny_problem.ts";

const shared = { latentDim: 4, sigma: 0.4, learningRate: 1e-3, posteriorStepSize: 0.01 };

Deno.test("step() with the identity as flow learns the decoder as ABP with chains from the prior does", async () => {
  await tf.setBackend("cpu");
  const start = await initialState(lfbm.build(TINY_PROBLEM, tinyHyper(lfbm, shared)), 0);
  const state = withIdentityFlow(unflatten(toTensors(start)));
  const ofAbp = unflatten(
    Object.fromEntries(
      Object.entries(flatten(state)).filter(([name]) => !/(^|\/)(flow|pivots)\//.test(name)),
    ),
  );
  const images = toTensor<tf.Tensor4D>(
    takeRows(tinyImages(32, TINY_PROBLEM.image), [0, 1, 2, 3, 4, 5, 6, 7]),
  );
  const step = tf.scalar(0, "int32");
  const batch = { images, rows: tf.range(0, 8, 1, "int32"), step, chains: {} };
  const next = tf.tidy(() =>
    [
      abp.build(TINY_PROBLEM, tinyHyper(abp, shared)).step(
        ofAbp,
        batch,
        createNoise(keyOf(1), step),
      ),
      lfbm.build(TINY_PROBLEM, tinyHyper(lfbm, shared)).step(
        state,
        batch,
        createNoise(keyOf(1), step),
      ),
    ].map(({ state }) =>
      Object.fromEntries(
        Object.entries(flatten(state))
          .filter(([name]) => /(^|\/)decoder\//.test(name))
          .map(([name, t]) => [name, [...t.dataSync()]]),
      )
    )
  );
  assert.deepEqual(Object.keys(next[1]).sort(), Object.keys(next[0]).sort());
  for (const [name, values] of Object.entries(next[0])) {
    const scale = Math.max(...values.map(Math.abs));
    const worst = Math.max(...values.map((v, i) => Math.abs(v - next[1][name][i])));
    // Rounding of another order of sums, through three steps of a chain.
    assert.ok(worst <= 1e-5 * scale, `${name}: ${worst / scale}`);
  }
});

Deno.test("fit() reconstructs better than the draws of infer()", async () => {
  await tf.setBackend("cpu");
  const model = lfbm.build(TINY_PROBLEM, tinyHyper(lfbm, { ...shared, testSteps: 60 }));
  const state = unflatten(toTensors(await initialState(model, 0)));
  const { latents } = model;
  assert.ok(latents?.fit !== undefined);
  const [fitted, drawn] = tf.tidy(() => {
    const images = toTensor<tf.Tensor4D>(tinyImages(16, TINY_PROBLEM.image));
    const errorOf = (find: NonNullable<typeof latents.fit>) => {
      const z = find(state, images, createNoise(keyOf(2), tf.scalar(0, "int32")));
      return tf.mean(tf.squaredDifference(latents.decode(state, z), images)).dataSync()[0];
    };
    return [errorOf(latents.fit as typeof latents.infer), errorOf(latents.infer)];
  });
  assert.ok(fitted < drawn, `${fitted}, ${drawn}`);
});

Deno.test("step() compiles at the latent dimensions that are used, without frozen arrays", async () => {
  const overrides = { ...shared, latentDim: 32, flowDepth: 1, posteriorSteps: 1 };
  const model = lfbm.build(TINY_PROBLEM, tinyHyper(lfbm, overrides));
  const { metrics } = await train(model, {
    device: await openDevice("cpu", { threads: 1 }),
    problem: TINY_PROBLEM,
    seed: 0,
    images: tinyImages(32, TINY_PROBLEM.image),
    steps: [0, 1],
    state: await initialState(model, 0),
  });
  assert.ok(metrics.mixingResidual < 1e-4, `${metrics.mixingResidual}`);
});
