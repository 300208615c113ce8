/** Tests over the table of samplers. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { openDevice } from "../../harness/engine/device.ts";
import { createNoise, foldIn, keyOf } from "../../harness/core/noise.ts";
import { resolveSettings, runChains } from "../../harness/toy/run_chains.ts";
import type { Target } from "../../harness/core/toy_types.ts";
import { SAMPLERS } from "./mod.ts";

const LENGTH = { chains: 3, steps: 8, burnIn: 2, thin: 2 };

for (const [name, sampler] of Object.entries(SAMPLERS)) {
  Deno.test(`${name} runs compiled as it runs eagerly`, async () => {
    assert.equal(sampler.name, name);
    await using compiled = await openDevice("cpu", { threads: 1 });
    await using eager = await openDevice("tfjs-cpu", { threads: 1 });
    const options = { target: bivariateGaussian, seed: 0, overrides: LENGTH };
    const own = await runChains(sampler, { ...options, device: compiled });
    const oracle = await runChains(sampler, { ...options, device: eager });
    assert.equal(own.draws.data.length, 3 * LENGTH.chains * 3 * 2);
    // float32 rounds to 6e-8; eight steps of chains that forget and gradients of some tens leave it below 1e-4.
    own.draws.data.forEach((z, i) => {
      assert.ok(Math.abs(z - oracle.draws.data[i]) < 1e-4 * (1 + Math.abs(z)), `draw ${i}: ${z}`);
    });
  });
}

/** Densities that a step works out beside its gradients: those of proposals. */
const EXTRA: Readonly<Record<string, number>> = { mala: 1, mala_long: 1, ald_mh: 1 };

for (const sampler of Object.values(SAMPLERS)) {
  Deno.test(`${sampler.name} costs as many gradients a step as it says`, async () => {
    await tf.setBackend("cpu");
    let densities = 0; // of all points
    const target: Target = {
      ...bivariateGaussian,
      logDensity: (z, parameters) => {
        densities += z.shape[0];
        return bivariateGaussian.logDensity(z, parameters);
      },
    };
    const settings = resolveSettings(sampler, { target, overrides: LENGTH });
    const noise = createNoise(foldIn(keyOf(0), "cost"), tf.scalar(0, "int32"));
    const state = sampler.init(target, { settings, noise: noise.split("init") });
    const draws = Object.fromEntries(
      Object.entries(sampler.draws(target, settings)).map(([name, { shape, kind }]) => [
        name,
        noise.split(name)[kind](shape),
      ]),
    );
    densities = 0;
    sampler.step(state, { target, parameters: {}, settings, draws, step: tf.scalar(0) });
    const share = "order" in draws ? settings.batchSize / target.points : 1;
    const gradients = densities / settings.chains - (EXTRA[sampler.name] ?? 0);
    assert.equal(sampler.gradientsPerStep(target, settings), gradients * share);
  });
}
