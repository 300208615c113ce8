import assert from "node:assert/strict";
import type { Hyperparams, Problem } from "../../harness/core/types.ts";
import { stepFlops } from "./flops.ts";
import { METHODS } from "../mod.ts";

/** Square images with three channels, batches of 100. */
const problem = (size: number): Problem => ({
  image: { height: size, width: size, channels: 3 },
  trainCount: 50_000,
  batchSize: 100,
});

Deno.test("stepFlops() of Table 2's networks at batch 100", () => {
  // GFLOP by hand from the formulas 3E + 3D, 2KD + 3D, ..., with E = 192.27M MACs (trunk 172.39M, 1024 features, a
  // mean and a scale of 64 or 128 latents) and D = 173.34M at 32x32.
  const E = {
    64: 172_391_168 + 18_432 * 1024 + 1024 * 128,
    128: 172_391_168 + 18_432 * 1024 + 1024 * 256,
  };
  const D = { 64: 173_342_720, 128: 174_522_368 };
  const e = { 64: 64 * 2048 + 2048, 128: 128 * 2048 + 2048 };
  for (const latentDim of [64, 128] as const) {
    const g = (name: string) => {
      const hyper = { ...METHODS[name].defaults, latentDim } as Hyperparams;
      return stepFlops(name, problem(32), hyper);
    };
    assert.equal(g("vae"), 200 * (3 * E[latentDim] + 3 * D[latentDim]));
    assert.equal(g("vae_flow"), g("vae"));
    assert.equal(g("abp"), 200 * 43 * D[latentDim]);
    assert.equal(g("dlgm"), 200 * (3 * E[latentDim] + 45 * D[latentDim]));
    assert.equal(g("lebm"), 200 * (43 * D[latentDim] + (40 + 120 + 6) * e[latentDim]));
  }
});

Deno.test("stepFlops() of LAE is 0.66 of a VAE's and a tenth of LEBM's", () => {
  // 143.7, 144.6 and 558.3 GFLOP: the networks' MACs in the formula E + d dz + 3D + 6e + S + d dz.
  const lae = (size: number, latentDim: number) =>
    stepFlops("lae", problem(size), { ...METHODS.lae.defaults, latentDim });
  assert.ok(Math.abs(lae(32, 64) / 143.7e9 - 1) < 5e-4);
  assert.ok(Math.abs(lae(32, 128) / 144.6e9 - 1) < 5e-4);
  assert.ok(Math.abs(lae(64, 128) / 558.3e9 - 1) < 5e-4);
  const ratio = lae(32, 128) / stepFlops("lebm", problem(32), METHODS.lebm.defaults);
  assert.ok(Math.abs(1 / ratio - 10.4) < 0.05);
});

Deno.test("stepFlops() refuses a method without a formula", () => {
  assert.throws(() => stepFlops("vea", problem(32), METHODS.vae.defaults), /known methods are vae/);
});
