import assert from "node:assert/strict";
import { standardNormal } from "../../datasets/toy/standard_normal.ts";
import { ld } from "../../methods/toy/ld.ts";
import { openDevice } from "../engine/device.ts";
import { biasSlope, measureBias, varianceAboutZero } from "./bias_slopes.ts";
import type { BiasPoint } from "../core/toy_report.ts";

const names = { sampler: "ld", label: "LD", order: 2 };

/** Biases `biasAt(step)` at these steps, known to `error`. */
function points(
  biasAt: (step: number) => number,
  error: number,
  noise = [0, 0, 0, 0],
): BiasPoint[] {
  return [0.1, 0.2, 0.4, 0.8].map((stepSize, i) => ({
    ...names,
    stepSize,
    bias: biasAt(stepSize) + noise[i] * error,
    error,
    theory: biasAt(stepSize),
    gradientsPerStep: 1,
  }));
}

Deno.test("biasSlope() finds the exponent of a power, of either sign", () => {
  for (const sign of [1, -1]) {
    const { measured, theory, points: seen } = biasSlope(
      points((step) => sign * 0.3 * step ** 2, 1e-6),
      names,
    );
    assert.ok(measured !== null && Math.abs(measured - 2) < 1e-9);
    assert.ok(theory !== null && Math.abs(theory - 2) < 1e-9);
    assert.equal(seen, 4);
  }
});

Deno.test("biasSlope() has an interval from the errors of the points", () => {
  // 0.3 x step^2 is 0.012, 0.048, 0.192 beyond 3 errors of 0.003; weights 16, 256, 4096 at logs 0, 1, 2 of two steps.
  const { error, points: seen } = biasSlope(points((step) => 0.3 * step ** 2, 0.003), names);
  assert.equal(seen, 3);
  const [weights, logs] = [[16, 256, 4096], [0, 1, 2]];
  const total = 16 + 256 + 4096;
  const centre = weights.reduce((sum, w, i) => sum + w * logs[i], 0) / total;
  const spread = weights.reduce((sum, w, i) => sum + w * (logs[i] - centre) ** 2, 0);
  assert.ok(Math.abs((error ?? 0) * Math.LN2 * Math.sqrt(spread) - 1) < 1e-9, `${error}`);
});

Deno.test("biasSlope() leaves points out that are not seen, and says nothing through one", () => {
  const one = biasSlope(points((step) => 0.3 * step ** 2, 0.05), names);
  assert.deepEqual(one, { ...names, measured: null, error: null, theory: null, points: 1 });
  const unknown = points((step) => step, 1e-3).map((p) => ({ ...p, theory: null }));
  const slope = biasSlope(unknown, names);
  assert.equal(slope.theory, null);
  assert.ok(Math.abs((slope.measured ?? 0) - 1) < 1e-9);
});

Deno.test("varianceAboutZero() has the error of the mean over chains", () => {
  // Two chains with mean squares 1 and 9: variance 5, standard error sqrt(32 / 2) = 4.
  const data = Float32Array.of(1, 3, -1, -3);
  const draws = { data, count: 2, chains: 2, points: 1, dim: 1 };
  assert.deepEqual(varianceAboutZero(draws), { variance: 5, error: 4 });
  // As two points of one chain they say nothing of its error.
  assert.ok(Number.isNaN(varianceAboutZero({ ...draws, chains: 1, points: 2 }).error));
});

Deno.test("measureBias() finds Euler's bias within its error", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const options = { target: standardNormal, device, seed: 0, steps: [0.2, 0.4], chains: 500 };
  const measured = await measureBias(ld, options);
  for (const { stepSize, bias, error, theory } of measured) {
    assert.ok(Math.abs((theory ?? 0) - (1 / (1 - stepSize / 2) - 1)) < 1e-12);
    // 125,000 squares, 1 / gamma steps apart, are worth 1 / 1.3 of independent ones: 1.1 to 1.25 times 0.0046.
    assert.ok(error > 0.004 && error < 0.0075, `${error}`);
    assert.ok(Math.abs(bias - (theory ?? 0)) < 4.5 * error, `${bias} +- ${error}`);
  }
});
