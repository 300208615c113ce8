import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { longPriorChains } from "./free_chains.ts";

Deno.test("longPriorChains() forgets N(0, I) and has the mean and the variance of the prior", async () => {
  await tf.setBackend("cpu");
  const count = 400;
  const [mean, precision] = [2, 4]; // curvature of 4 on a base of 1
  const z = tf.tidy(() =>
    longPriorChains(
      (z) => tf.sum<tf.Tensor1D>(tf.mul(tf.square(tf.sub(z, mean)), precision / 2), 1),
      { shape: [count, 3], noise: createNoise(keyOf(0), tf.scalar(0, "int32")) },
    ).dataSync<"float32">()
  );
  const n = z.length;
  const centre = z.reduce((a, b) => a + b) / n;
  const variance = z.reduce((sum, x) => sum + (x - centre) ** 2, 0) / (n - 1);
  // Unadjusted steps of eta widen a variance of 1 / a to 1 / (a (1 - a eta / 2)). Four standard errors of 1200 draws.
  const expected = 1 / (precision * (1 - precision * 0.02 / 2));
  assert.ok(Math.abs(centre - mean) < 4 * Math.sqrt(expected / n), `mean ${centre}`);
  assert.ok(Math.abs(variance / expected - 1) < 4 * Math.sqrt(2 / n), `variance ${variance}`);
});
