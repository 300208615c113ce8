import assert from "node:assert/strict";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { eightGaussians } from "../../datasets/toy/eight_gaussians.ts";
import { ld } from "../../methods/toy/ld.ts";
import { draws as normals, foldIn, keyOf } from "../core/noise.ts";
import { openDevice } from "../engine/device.ts";
import { resolveSettings } from "./run_chains.ts";
import { mixingOf, samplesOf, scoreRun } from "./score_run.ts";
import { symmetricEigen } from "../linalg/symmetric_eigen.ts";
import { openTarget } from "./run_sampler.ts";
import { gaussianTruth } from "./gaussian_truth.ts";
import type { Draws } from "../core/toy_types.ts";

/** [draws 20, chains 3, points 2, dim 2]: thousands of the draw, hundreds of the chain, tens of the point, and coordinate. */
function labelled(): Draws {
  const shape = { count: 20, chains: 3, points: 2, dim: 2 };
  const data = Float32Array.from({ length: 240 }, (_, i) => {
    const [k, point, chain, t] = [
      i % 2,
      Math.floor(i / 2) % 2,
      Math.floor(i / 4) % 3,
      Math.floor(i / 12),
    ];
    return 1000 * t + 100 * chain + 10 * point + k;
  });
  return { ...shape, data };
}

Deno.test("samplesOf() puts the draws of all chains together for each point", () => {
  const [first, second] = samplesOf(labelled(), false);
  assert.equal(first.count, 60);
  assert.deepEqual([...first.data.slice(0, 8)], [0, 1, 100, 101, 200, 201, 1000, 1001]);
  assert.deepEqual([...second.data.slice(0, 4)], [10, 11, 110, 111]);
  const [shared] = samplesOf(labelled(), true);
  assert.equal(shared.count, 120);
});

Deno.test("mixingOf() follows each chain over time", () => {
  // Chains of independent draws: by another order they would look like one another's past.
  const values = normals(foldIn(keyOf(0), "mixing"), { counter: 0, count: 4000, kind: "normal" });
  const chains = 4;
  const still = Float32Array.from(values, (v, i) => v * 0.1 + i % chains);
  const shape = { count: 1000, chains, points: 1, dim: 1 };
  const [apart] = mixingOf({ ...shape, data: still }, false);
  // Means 0, 1, 2, 3 of chains with variance 0.01: R-hat = sqrt(1 + (5/3 x 6/7 or so) / 0.01) > 10.
  assert.ok(apart.rHat > 10, `${apart.rHat}`);
  const [together] = mixingOf({ ...shape, data: Float32Array.from(values) }, false);
  assert.ok(together.rHat < 1.02 && together.effectiveSize > 3000);
});

Deno.test("mixingOf() takes the worst coordinate of each point", () => {
  const data = Float32Array.from(
    normals(foldIn(keyOf(0), "worst"), { counter: 0, count: 8000, kind: "normal" }),
    (v, i) => i % 2 === 1 ? v + 10 * (Math.floor(i / 2) % 4) : v,
  );
  const [{ rHat, effectiveSize }] = mixingOf(
    { count: 1000, chains: 4, points: 1, dim: 2, data },
    false,
  );
  assert.ok(rHat > 3 && effectiveSize < 50, `${rHat}, ${effectiveSize}`);
});

Deno.test("symmetricEigen() rebuilds the matrix from orthonormal vectors", () => {
  const matrix = [[4, 1, -2], [1, 3, 0.5], [-2, 0.5, 1]];
  const { values, vectors } = symmetricEigen(matrix);
  matrix.forEach((row, i) =>
    row.forEach((entry, j) => {
      const rebuilt = values.reduce((sum, v, k) => sum + v * vectors[k][i] * vectors[k][j], 0);
      const product = vectors[i].reduce((sum, v, k) => sum + v * vectors[j][k], 0);
      assert.ok(Math.abs(rebuilt - entry) < 1e-9);
      assert.ok(Math.abs(product - Number(i === j)) < 1e-9);
    })
  );
});

Deno.test("scoreRun() takes distributions in closed form where they exist, with the bias of the step", () => {
  const { answer } = bivariateGaussian;
  const truth = gaussianTruth(answer);
  const [count, chains] = [400, 2];
  const samples = answer.means.map((_, i) =>
    truth.draw(i, { count: count * chains, seed: `run/${i}` }).data
  );
  const points = samples.length;
  const data = Float32Array.from(
    { length: count * chains * points * 2 },
    (_, at) => samples[Math.floor(at / 2) % points][2 * Math.floor(at / (2 * points)) + at % 2],
  );
  const settings = { ...resolveSettings(ld, { target: bivariateGaussian }), chains };
  const draws = { count, chains, points, dim: 2, data };
  const run = {
    settings,
    draws,
    energies: new Float32Array(0),
    acceptance: null,
    state: {},
    seconds: 1,
    chainStepsPerSecond: 1,
    gradients: 1,
  };
  const { exact, predicted } = scoreRun(run, { target: bivariateGaussian, sampler: ld, truth });
  const ratios = symmetricEigen(answer.covariance).values.map((variance) =>
    ld.varianceRatio?.(1 / variance, { target: bivariateGaussian, settings }) ?? NaN
  );
  // So many draws that sizes no longer matter: the pool is full.
  assert.deepEqual(exact.mmd2, truth.scoreDistributions([1000, 1000, 1000], [1, 1]).mmd2);
  assert.deepEqual(predicted.mmd2, truth.scoreDistributions([1000, 1000, 1000], ratios).mmd2);
  assert.ok(predicted.mmd2.mean > exact.mmd2.mean + 1e-5);
  assert.deepEqual(
    Object.keys(exact).sort(),
    Object.keys(truth.score([0, 1, 2].map((i) => truth.draw(i, { count: 50, seed: "keys" }))).all)
      .sort(),
  );
});

Deno.test("scoreRun() knows mixing within modes apart from that between them", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const target = { ...eightGaussians, points: 8 };
  const { truth } = await openTarget(eightGaussians, device);
  const { answer } = target;
  assert.ok(answer.kind === "grid" && answer.modes);
  // Chains that never leave their mode and forget within it at once.
  const [count, chains] = [200, 1];
  const xi = normals(foldIn(keyOf(0), "modes"), { counter: 0, count: count * 16, kind: "normal" });
  const { centres, std } = answer.modes;
  const data = Float32Array.from(xi, (v, i) => centres[Math.floor(i / 2) % 8][i % 2] + std * v);
  const settings = { ...resolveSettings(ld, { target }), chains };
  const run = {
    settings,
    draws: { count, chains, points: 8, dim: 2, data },
    energies: new Float32Array(0),
    acceptance: null,
    state: {},
    seconds: 1,
    chainStepsPerSecond: 1,
    gradients: 1,
  };
  const { exact, within, scores } = scoreRun(run, { target, sampler: ld, truth });
  // Chains in place tell as little as eight draws or so; within modes there are 1,600 of them.
  assert.ok(scores.ess < 30, `${scores.ess}`);
  assert.ok(scores.mode_error < 0.01 && exact.mode_error.mean > 0.15);
  // methods 2.2, exact draws: total variation 0.201 at 2,000, by the root of the number 0.225 at 1,600.
  const tv = within?.histogram_tv.mean ?? NaN;
  assert.ok(tv > 0.2 && tv < 0.25, `${tv}`);
  assert.ok(exact.histogram_tv.mean > 0.6);
});
