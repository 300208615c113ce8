/** The capability `partial` on `nets=linear`, where the posterior given the seen pixels is a Gaussian in closed form. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { toArrays, toTensors } from "../harness/core/host_arrays.ts";
import { createNoise, keyOf } from "../harness/core/noise.ts";
import { flatten, mapTree, unflatten } from "../harness/core/tree.ts";
import type { Hyperparams, Method, Model, Problem, Tree } from "../harness/core/types.ts";
import { openDevice } from "../harness/engine/device.ts";
import { mean } from "../harness/statistics/summary.ts";
import { METHODS } from "./mod.ts";
import { withIdentityFlow } from "./testing/identity_flow.ts";
import { initialState, tinyHyper } from "./testing/tiny_problem.ts";

const PIXELS = 6;
const PROBLEM: Problem = {
  image: { height: 1, width: PIXELS, channels: 1 },
  trainCount: 8,
  batchSize: 8,
  classCount: 2,
};

/** Methods whose inference and learning take hidden pixels, with linear networks. */
function partialMethods(): { method: Method; hyper: Hyperparams; model: Model }[] {
  return Object.values(METHODS as Readonly<Record<string, Method>>).flatMap((method) => {
    const known = (wanted: Hyperparams) =>
      Object.fromEntries(Object.entries(wanted).filter(([key]) => key in method.defaults));
    const hyper = tinyHyper(
      method,
      known({
        nets: "linear",
        latentDim: 2,
        sigma: SIGMA,
        learning: "ml", // no noise in the decoder
        posteriorSteps: STEPS,
        posteriorStepSize: STEP_SIZE,
        integratorSteps: 1,
        searchEvery: 0,
        flowDepth: 1,
      }),
    );
    if (hyper.nets !== "linear" || Number(hyper.layerCount ?? 1) > 1) return [];
    try {
      const model = method.build(PROBLEM, hyper);
      return model.partial === undefined ? [] : [{ method, hyper, model }];
    } catch (error) {
      if (error instanceof RangeError && error.message.startsWith("Unknown nets")) return [];
      throw error;
    }
  });
}

const SIGMA = 0.5;
/** Chains of 150 steps forget their start to 0.95^150 = 0.05 % even in directions where the data say nothing. */
const [STEPS, STEP_SIZE] = [150, 0.05];
/** x = A z + b + noise. */
const A = [[0.7, -0.4, 0.5, 0.2, -0.6, 0.3], [0.1, 0.6, -0.3, 0.8, 0.2, -0.5]];
const B = [0.1, -0.2, 0.3, 0, -0.1, 0.2];
const X = [0.8, -0.9, 0.6, 0.7, -0.4, -0.8];
const SEEN = [1, 0, 1, 0, 0, 1];

/** Mean and precision of p(z | the pixels where `seen` is 1). */
function posterior(seen: readonly number[]) {
  const product = (f: (j: number) => number) => seen.reduce((sum, s, j) => sum + s * f(j), 0);
  const [p, q, r] = [[0, 0], [0, 1], [1, 1]].map(([i, k]) =>
    Number(i === k) + product((j) => A[i][j] * A[k][j]) / SIGMA ** 2
  );
  const [s, t] = A.map((a) => product((j) => a[j] * (X[j] - B[j])) / SIGMA ** 2);
  const det = p * r - q * q;
  return { mean: [(r * s - q * t) / det, (p * t - q * s) / det], precision: [[p, q], [q, r]] };
}

/** Variance along each latent of the chain at rest, the inverse of P - eta P^2 / 2. */
function chainVariances([[p, q], [, r]]: readonly (readonly number[])[]): number[] {
  const eta = STEP_SIZE / 2;
  const [a, b, c] = [p - eta * (p * p + q * q), q - eta * q * (p + r), r - eta * (q * q + r * r)];
  const det = a * c - b * b;
  return [c / det, a / det];
}

/** `state` with the decoder above and N(0, I) for the prior. */
function withKnownModel(state: Tree): Tree {
  return mapTree(withIdentityFlow(state), ([t], path) => {
    if (path === "decoder/0/weight") return tf.tensor2d(A);
    if (path === "decoder/0/bias") return tf.tensor1d(B);
    return path.startsWith("energy/") ? tf.zerosLike(t) : t;
  });
}

const row = (values: readonly number[], count: number) =>
  tf.tile(tf.tensor4d([...values], [1, 1, PIXELS, 1]), [count, 1, 1, 1]);

Deno.test("infer() by chains draws from the posterior given the seen pixels, biased as the chain is", async () => {
  await tf.setBackend("cpu");
  const count = 1000;
  const [partial, whole] = [posterior(SEEN), posterior(SEEN.map(() => 1))];
  const variances = chainVariances(partial.precision);
  let checked = 0;
  const isChain = ({ model }: { readonly model: Model }) => !model.partial?.needsPartialTraining;
  await using device = await openDevice("cpu", { threads: 1 });
  for (const { method: { name }, model } of partialMethods().filter(isChain)) {
    const start = await initialState(model, 0);
    const state = await device.upload(toArrays(withKnownModel(unflatten(toTensors(start)))));
    await using program = await device.compile(({ state, inputs }) => {
      const noise = createNoise(keyOf(3), inputs.draw as tf.Scalar);
      // Hidden pixels have nothing to do with the model.
      const images = row(X.map((x, j) => SEEN[j] ? (x + 1) / 2 : 0.9), count);
      const z = model.partial?.infer(unflatten(state), { images, seen: row(SEEN, count) }, noise);
      return { outputs: { z: z as tf.Tensor2D } };
    }, { state: state.specs, inputs: { draw: { shape: [], dtype: "int32" } } });
    const { outputs: { z: { data } } } = await program.run(state, {
      draw: { shape: [], dtype: "int32", data: Int32Array.of(0) },
    });
    variances.forEach((variance, i) => {
      const draws = Array.from({ length: count }, (_, n) => data[2 * n + i]);
      const error = Math.sqrt(variance / count);
      const found = mean(draws);
      const apart = Math.abs(whole.mean[i] - partial.mean[i]) / error;
      assert.ok(apart > 10, `the posteriors are too alike: ${apart} standard errors`);
      const wrong = Math.abs(found - partial.mean[i]) / error;
      assert.ok(wrong < 4, `${name}: mean ${found}, expected ${partial.mean[i]}`);
      const spread = mean(draws.map((draw) => (draw - found) ** 2)) / variance;
      const bound = 4 * Math.sqrt(2 / count);
      assert.ok(Math.abs(spread - 1) < bound, `${name}: variance ${spread} of ${variance}`);
    });
    checked++;
  }
  assert.ok(checked > 4, `only ${checked} methods were checked`);
});

Deno.test("step() does not learn from hidden pixels, and learns from the others", async () => {
  await tf.setBackend("cpu");
  let checked = 0;
  for (const { method: { name }, hyper, model } of partialMethods()) {
    const short = METHODS[name].build(PROBLEM, {
      ...hyper,
      ..."posteriorSteps" in hyper && { posteriorSteps: 2 },
    }) as Model;
    const start = await initialState(model, 0);
    tf.tidy(() => {
      const state = unflatten(toTensors(start));
      const step = tf.scalar(0, "int32");
      const { batchSize } = PROBLEM;
      const images = createNoise(keyOf(1), step).uniform<tf.Tensor4D>([batchSize, 1, PIXELS, 1]);
      const batch = {
        images,
        seen: row(SEEN, batchSize),
        rows: tf.range(0, batchSize, 1, "int32") as tf.Tensor1D,
        step,
        chains: {},
      };
      const after = flatten(short.step(state, batch, createNoise(keyOf(2), step)).state);
      const before = flatten(state);
      // The weights and the bias of the decoder for a pixel that no image shows have no gradient.
      for (const part of ["decoder/0/weight", "decoder/0/bias"]) {
        const [old, now] = [before[part].dataSync(), after[part].dataSync()];
        now.forEach((value, i) => {
          const pixel = i % PIXELS;
          assert.equal(value === old[i], SEEN[pixel] === 0, `${name}: ${part} of pixel ${pixel}`);
        });
      }
    });
    checked++;
  }
  assert.ok(checked > 8, `only ${checked} methods were checked`);
});
