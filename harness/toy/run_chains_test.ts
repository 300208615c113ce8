import assert from "node:assert/strict";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { ald } from "../../methods/toy/ald.ts";
import { ld, sgld } from "../../methods/toy/ld.ts";
import { openDevice } from "../engine/device.ts";
import { resolveSettings, runChains } from "./run_chains.ts";

const target = bivariateGaussian;

Deno.test("resolveSettings() puts overrides over the sampler's settings over the target's", () => {
  assert.deepEqual(resolveSettings(ld, { target }), {
    ...target.length,
    stepSize: target.stepSize,
    batchSize: 1,
    featureDim: 128,
  });
  // Minibatch steps are shorter by sqrt(1 / 3).
  const own = resolveSettings(sgld, { target }).stepSize;
  assert.ok(Math.abs(own - target.stepSize / Math.sqrt(3)) < 1e-12);
  assert.equal(resolveSettings(sgld, { target, overrides: { stepSize: 1 } }).stepSize, 1);
});

Deno.test("resolveSettings() refuses lengths that leave no whole number of draws", () => {
  for (const overrides of [{ steps: 500 }, { steps: 5002 }, { burnIn: 501 }, { thin: 7 }]) {
    assert.throws(
      () => resolveSettings(ld, { target, overrides }),
      /ld on bivariate: .* of burn-in/,
    );
  }
});

Deno.test("runChains() gives the same draws for the same seed, others for another, for every chain its own", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const overrides = { chains: 3, steps: 200, burnIn: 100, thin: 50 };
  for (const sampler of [ld, ald]) {
    const drawsOf = async (seed: number) =>
      (await runChains(sampler, { target, device, seed, overrides })).draws;
    const [first, again, other] = [await drawsOf(0), await drawsOf(0), await drawsOf(1)];
    assert.deepEqual([first.count, first.chains, first.points, first.dim], [2, 3, 3, 2]);
    assert.deepEqual(first.data, again.data);
    assert.ok(first.data.every((v, i) => v !== other.data[i]));
    assert.equal(new Set(first.data).size, first.data.length);
  }
});

Deno.test("runChains() keeps a draw every so many steps, the last one after the last step", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const overrides = { chains: 2, steps: 200, burnIn: 100, thin: 20 };
  const run = await runChains(ld, { target, device, seed: 0, overrides });
  assert.equal(run.draws.count, 5);
  assert.deepEqual([...run.draws.data.slice(-12)], [...run.state.x.data]);
  assert.equal(run.gradients, 200);
});
