import assert from "node:assert/strict";
import type { Hyperparams, Problem } from "../../harness/core/types.ts";
import { METHODS } from "../mod.ts";

/** Square images with three channels, batches of 100. */
const problem = (size: number): Problem => ({
  image: { height: size, width: size, channels: 3 },
  trainCount: 50_000,
  batchSize: 100,
});

/** `Model.flops` of a method with its defaults and `overrides`. */
function flopsOf(name: string, data: Problem, overrides: Hyperparams = {}): number | undefined {
  const { build, defaults } = METHODS[name];
  return build(data, { ...defaults, ...overrides }).flops;
}

/** Multiply-accumulates by hand at 32x32, by latentDim: Table 2's trunk, its encoder with a mean and a scale, decoder and energy. */
const TRUNK = 172_391_168 + 18_432 * 1024;
const E = { 64: TRUNK + 1024 * 128, 128: TRUNK + 1024 * 256 };
const D = { 64: 173_342_720, 128: 174_522_368 };
const e = { 64: 64 * 2048 + 2048, 128: 128 * 2048 + 2048 };

Deno.test("flops of Table 2's networks at batch 100", () => {
  // By hand from the formulas 3E + 3D, 2KD + 3D, ...
  for (const latentDim of [64, 128] as const) {
    const g = (name: string) => flopsOf(name, problem(32), { latentDim });
    assert.equal(g("vae"), 200 * (3 * E[latentDim] + 3 * D[latentDim]));
    assert.equal(g("vae_flow"), g("vae"));
    assert.equal(g("abp"), 200 * 43 * D[latentDim]);
    assert.equal(g("dlgm"), 200 * (3 * E[latentDim] + 45 * D[latentDim]));
    assert.equal(g("lebm"), 200 * (43 * D[latentDim] + (40 + 120 + 6) * e[latentDim]));
  }
});

Deno.test("flops of LAE is 0.66 of a VAE's and a tenth of LEBM's", () => {
  // 143.7, 144.6 and 558.3 GFLOP: the networks' MACs in the formula E + d dz + 3D + 6e + S + d dz.
  const lae = (size: number, latentDim: number) =>
    flopsOf("lae", problem(size), { latentDim }) ?? NaN;
  assert.ok(Math.abs(lae(32, 64) / 143.7e9 - 1) < 5e-4);
  assert.ok(Math.abs(lae(32, 128) / 144.6e9 - 1) < 5e-4);
  assert.ok(Math.abs(lae(64, 128) / 558.3e9 - 1) < 5e-4);
  const ratio = lae(32, 128) / (flopsOf("lebm", problem(32)) ?? NaN);
  assert.ok(Math.abs(1 / ratio - 10.4) < 0.05);
});

Deno.test("flops of LAE's inner moves, and of its NeurIPS version, by hand", () => {
  const phi = 1024 * 128; // of Psi too: as many features
  // A move of Phi and Psi: through decoder and energies to the latents and back, then to the last layers.
  const ml = (innerSteps: number) =>
    flopsOf("lae", problem(32), { learning: "ml", innerSteps }) ?? NaN;
  assert.equal(ml(1), flopsOf("lae", problem(32)));
  assert.equal(ml(4) - ml(1), 200 * 3 * (2 * D[128] + 4 * e[128] + 4 * phi));

  // chainSteps = 2: two steps of SGD, three moves with an energy and a gradient at the start, and at the proposal to judge it.
  const features = TRUNK;
  const learning = 2 * (3 * features + 3 * D[128] + 2 * phi);
  const evaluation = 2 * (D[128] + phi);
  assert.equal(
    flopsOf("lae_neurips", problem(32)),
    200 * (features + learning + 6 * evaluation),
  );
  assert.equal(
    flopsOf("lae_neurips", problem(32), { metropolis: false }),
    200 * (features + learning + 3 * evaluation),
  );
});

for (const { name } of Object.values(METHODS)) {
  const flops = flopsOf(name, problem(32));
  if (flops === undefined) continue; // a method need not declare any
  Deno.test(`flops of ${name} are positive and proportional to batchSize`, () => {
    assert.ok(Number.isFinite(flops) && flops > 0, `${flops}`);
    for (const factor of [2, 3, 10]) {
      const batchSize = factor * problem(32).batchSize;
      assert.equal(flopsOf(name, { ...problem(32), batchSize }), factor * flops);
    }
  });
}
