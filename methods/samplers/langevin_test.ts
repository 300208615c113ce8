import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { langevinChain, langevinStep } from "./langevin.ts";

const noise = createNoise(keyOf(0), tf.scalar(0, "int32"));

Deno.test("langevinStep() is z - eta gradient + sqrt(2 eta) xi", async () => {
  await tf.setBackend("cpu");
  const next = langevinStep(tf.tensor1d([1, 2]), {
    gradient: tf.tensor1d([10, -10]),
    xi: tf.tensor1d([1, 0]),
    stepSize: 0.02, // s = 0.2 of LEBM's convention
  });
  const [a, b] = next.dataSync();
  assert.ok(Math.abs(a - (1 - 0.2 + 0.2)) < 1e-6);
  assert.ok(Math.abs(b - 2.2) < 1e-6);
});

Deno.test("langevinChain() has the biased stationary covariance of its step size", async () => {
  await tf.setBackend("cpu");
  // Euler-Maruyama on a Gaussian of precision P is an AR(1) process z' = (1 - eta P) z + sqrt(2 eta) xi about the mean: its
  // variance is (1 / P) / (1 - eta P / 2), whatever the start once (1 - eta P)^steps is small: 0.8^100 here.
  const [rows, stepSize, steps] = [10_000, 0.2, 100];
  const precision = [1, 2.5, 5];
  const mean = [0, 1, -2];
  const end = tf.tidy(() =>
    langevinChain(
      (z) => {
        const squares = tf.mul(tf.square(tf.sub(z, tf.tensor1d(mean))), tf.tensor1d(precision));
        return tf.mul(tf.sum(squares), 0.5) as tf.Scalar;
      },
      tf.zeros([rows, 3]),
      { steps, stepSize, noise: noise.split("chain") },
    )
  );
  const z = end.arraySync();
  precision.forEach((p, j) => {
    const column = z.map((row) => row[j]);
    const average = column.reduce((a, b) => a + b) / rows;
    const variance = column.reduce((a, b) => a + (b - average) ** 2, 0) / (rows - 1);
    const theory = 1 / p / (1 - stepSize * p / 2); // 1.11, 1.33 and 2 times the target's
    // Standard errors sqrt(variance / N) and variance sqrt(2 / N), taken four times: 5.7 % of the variance.
    assert.ok(Math.abs(average - mean[j]) < 4 * Math.sqrt(theory / rows));
    assert.ok(Math.abs(variance / theory - 1) < 4 * Math.sqrt(2 / rows), `${variance} ${theory}`);
  });
});

Deno.test("langevinChain() of no steps is its start", async () => {
  await tf.setBackend("cpu");
  const start = tf.ones([2, 2]) as tf.Tensor2D;
  const chain = { steps: 0, stepSize: 0.1, noise: noise.split("none") };
  assert.equal(langevinChain(() => tf.scalar(0), start, chain), start);
});
