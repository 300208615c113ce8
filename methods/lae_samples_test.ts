/** The ways in which LAE samples at test time. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../harness/core/noise.ts";
import { unflatten } from "../harness/core/tree.ts";
import { lae } from "./lae.ts";
import { initialState, TINY_PROBLEM, tinyHyper, tinyImages } from "./testing/tiny_problem.ts";

const noise = () => createNoise(keyOf(0), tf.scalar(0, "int32"));

/** The model at `overrides`, and the initial state of the tiny LAE with `sigma`. */
async function setUp(overrides: Partial<typeof lae.defaults>, sigma = 0.3) {
  const model = lae.build(TINY_PROBLEM, tinyHyper(lae, overrides));
  const arrays = await initialState(model, 0);
  const tensors = Object.entries(arrays).map(([name, { data, shape, dtype }]) =>
    [name, tf.tensor(data, [...shape], dtype)] as const
  );
  const state = unflatten({ ...Object.fromEntries(tensors), logSigma: tf.scalar(Math.log(sigma)) });
  return { model, state };
}

const distance = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0];

Deno.test("lae's samples are where its refined samples start", async () => {
  const draw = async (priorStepSize: number) => {
    const { model, state } = await setUp({ priorSteps: 3, priorStepSize });
    const [refined] = model.alternatives ?? [];
    const request = { count: 5, chains: {} };
    return [model.sample(state, request, noise()), refined.sample(state, request, noise())];
  };
  const [own, still] = await draw(1e-12); // steps of 1e-6 standard deviations
  assert.ok(distance(own, still) < 1e-5);
  const [same, moved] = await draw(0.08);
  assert.equal(distance(own, same), 0);
  assert.ok(distance(same, moved) > 1e-3);
});

Deno.test("lae without prior steps has no refined samples", async () => {
  const { model } = await setUp({ priorSteps: 0 });
  assert.equal(model.alternatives, undefined);
});

Deno.test("lae infers at a step size that follows sigma, but never above posteriorStepSize", async () => {
  const infer = async (start: number, sigma: number, posteriorStepSize: number) => {
    const { model, state } = await setUp({ sigma: start, posteriorStepSize }, sigma);
    const { data, shape } = tinyImages(5, TINY_PROBLEM.image);
    const images = tf.tensor4d(data, shape as [number, number, number, number]);
    const z = model.latents?.infer(state, images, noise());
    assert.ok(z !== undefined);
    return z;
  };
  // At its initial sigma the step size is posteriorStepSize: (0.1 / 0.2)^2 of 0.004 is 0.001.
  assert.ok(distance(await infer(0.2, 0.1, 0.004), await infer(0.1, 0.1, 0.001)) < 1e-4);
  assert.ok(distance(await infer(0.2, 0.1, 0.004), await infer(0.1, 0.1, 0.004)) > 1e-2);
  assert.equal(distance(await infer(0.2, 0.4, 0.001), await infer(0.4, 0.4, 0.001)), 0);
});
