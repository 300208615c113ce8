import assert from "node:assert/strict";
import { geometricTemperatures, logMeanExp, reverseBound } from "./annealing.ts";

Deno.test("geometricTemperatures() equal ratios of precisions, from 0 to 1", () => {
  const curvature = 310;
  const path = geometricTemperatures(100, curvature);
  assert.deepEqual([path.length, path[0], path[100]], [101, 0, 1]);
  const ratios = Array.from(
    { length: 100 },
    (_, t) => (1 + curvature * path[t + 1]) / (1 + curvature * path[t]),
  );
  for (const ratio of ratios) {
    assert.ok(Math.abs(ratio / (1 + curvature) ** (1 / 100) - 1) < 1e-12, `${ratio}`);
  }
});

Deno.test("geometricTemperatures() linear without curvature, continuous there, refuses nonsense", () => {
  const linear = geometricTemperatures(4, 0);
  assert.deepEqual([...linear], [0, 0.25, 0.5, 0.75, 1]);
  const nearly = geometricTemperatures(4, 2e-6);
  linear.forEach((beta, t) => assert.ok(Math.abs(beta - nearly[t]) < 1e-6));
  for (const curvature of [-1, NaN, Infinity]) {
    assert.throws(() => geometricTemperatures(4, curvature), /curvature/);
  }
});

Deno.test("logMeanExp() by hand, far from 0, and of one weight", () => {
  const { value, standardError } = logMeanExp([Math.log(1) - 900, Math.log(3) - 900]);
  assert.ok(Math.abs(value - (Math.log(2) - 900)) < 1e-12);
  // Weights 1 and 3: deviation 1 (with n), mean 2, over sqrt(2).
  assert.ok(Math.abs(standardError - 0.5 / Math.SQRT2) < 1e-12);
  assert.deepEqual(logMeanExp([-7]), { value: -7, standardError: 0 });
  assert.throws(() => logMeanExp([]), RangeError);
});

Deno.test("reverseBound() is the log of the harmonic mean, which is below that of the mean", () => {
  const weights = [Math.log(1), Math.log(3)];
  const { value } = reverseBound(weights); // -log((1 + 1/3) / 2) = log 1.5
  assert.ok(Math.abs(value - Math.log(1.5)) < 1e-12);
  assert.ok(value < logMeanExp(weights).value);
});
