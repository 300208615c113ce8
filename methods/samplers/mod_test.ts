/** Tests over the table of samplers. */
import assert from "node:assert/strict";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { openDevice } from "../../harness/engine/device.ts";
import { runChains } from "../../harness/toy/run_chains.ts";
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
