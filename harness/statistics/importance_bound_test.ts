import assert from "node:assert/strict";
import { createNoise, keyOf } from "../core/noise.ts";
import { mean, sampleStd } from "./summary.ts";
import { importanceBound } from "./importance_bound.ts";
import * as tf from "@tensorflow/tfjs";

const near = (actual: ArrayLike<number>, expected: readonly number[], tolerance: number) => {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) => assert.ok(Math.abs(actual[i] - value) < tolerance));
};

Deno.test("importanceBound() is the mean for k = 1 and log-mean-exp of groups for larger k", () => {
  const weights = [[-1, -2], [-3, 0], [-5, -2], [-1, 0]];
  near(importanceBound(weights, 1), [-2.5, -1], 1e-12);
  const pair = (a: number, b: number) => Math.log((Math.exp(a) + Math.exp(b)) / 2);
  const expected = [(pair(-1, -3) + pair(-5, -1)) / 2, pair(-2, 0)];
  near(importanceBound(weights, 2), expected, 1e-12);
});

Deno.test("importanceBound() does not overflow or underflow", () => {
  near(importanceBound([[-5000, 4000], [-5000, -4000]], 2), [-5000, 4000 - Math.log(2)], 1e-9);
});

Deno.test("importanceBound() refuses a number of draws that is not a multiple of k", () => {
  assert.throws(() => importanceBound([[0], [0], [0]], 2), /multiple of k = 2, got 3/);
  assert.throws(() => importanceBound([], 1), RangeError);
});

Deno.test("importanceBound() rises with k towards the evidence at the theoretical rate", async () => {
  await tf.setBackend("cpu");
  // z ~ N(0, 1), x = z + e, e ~ N(0, 1), so p(x) = N(0, 2) and p(z | x) = N(x / 2, 1 / 2). With q = N(x / 2, s^2), s^2 = 1,
  // the ELBO is short of log p(x) by KL(q || p(z | x)) = (s^2 / (1/2) - 1 - log(s^2 / (1/2))) / 2 = (1 - log 2) / 2.
  const x = 1.3;
  const [groups, most] = [4000, 100];
  const noise = createNoise(keyOf(0), tf.scalar(0, "int32"));
  const draws = noise.split("z").normal([most, groups]).dataSync<"float32">();
  const logWeight = (xi: number) => {
    const z = x / 2 + xi;
    // log N(z; 0, 1) + log N(x; z, 1) - log N(z; x / 2, 1)
    return -0.5 * (z * z + (x - z) ** 2 - xi * xi + Math.log(2 * Math.PI));
  };
  const weights = Array.from(
    { length: most },
    (_, j) => Float64Array.from(draws.subarray(j * groups, (j + 1) * groups), logWeight),
  );
  const evidence = -0.5 * (x * x / 2 + Math.log(4 * Math.PI));
  const [one, ten, hundred] = [1, 10, 100].map((k) => {
    const bounds = [...importanceBound(weights, k)];
    return { value: mean(bounds), error: (sampleStd(bounds) ?? 0) / Math.sqrt(groups) };
  });
  assert.ok(Math.abs(one.value - (evidence - (1 - Math.LN2) / 2)) < 4 * one.error);
  assert.ok(one.value < ten.value && ten.value < hundred.value);
  // The gap of k draws is about Var(w) / (2 k) (Maddison et al. 2017) with w = p(z | x) / q(z). E[w^2] is the integral of
  // p^2 / q = exp(-2 u^2) / pi sqrt(2 pi) exp(u^2 / 2) over u = z - x / 2: 2 / sqrt(3). The next order is 1 / k^2.
  const variance = 2 / Math.sqrt(3) - 1;
  const gap = evidence - hundred.value;
  assert.ok(Math.abs(gap - variance / 200) < 4 * hundred.error + 1 / 100 ** 2);
  assert.ok(Math.abs(evidence - ten.value - variance / 20) < 4 * ten.error + 1 / 10 ** 2);
});
