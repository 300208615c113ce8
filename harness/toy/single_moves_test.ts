import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { doubleWell } from "../../datasets/toy/double_well.ts";
import { neuralLikelihood } from "../../datasets/toy/neural_likelihood.ts";
import { ld } from "../../methods/toy/ld.ts";
import { MOVERS } from "../../methods/toy/mod.ts";
import { openDevice } from "../engine/device.ts";
import type { Sampler, Target } from "../core/toy_types.ts";
import { runSingleMoves } from "./single_moves.ts";

/** Metrics of `sampler`'s moves that fail. */
async function failuresOf(sampler: Sampler, target: Target): Promise<string[]> {
  await using device = await openDevice("cpu", { threads: 1 });
  const rows = await runSingleMoves(sampler, { target, device, seed: 0 });
  assert.ok(rows.every(({ sampler: name }) => name === `${sampler.name}_moves`));
  return rows.filter(({ verdict }) => verdict === "fail").map(({ metric }) => metric);
}

for (const sampler of MOVERS) {
  Deno.test(`runSingleMoves() passes ${sampler.name} where the energy has kinks`, async () => {
    assert.deepEqual(await failuresOf(sampler, neuralLikelihood), []);
  });
}

Deno.test("runSingleMoves() shortens long moves until they stay where the energy grows as x^4", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  for (const sampler of MOVERS) {
    const rows = await runSingleMoves(sampler, { target: doubleWell, device, seed: 0 });
    for (const { metric, value } of rows) {
      assert.ok(value !== null && Math.abs(value) < 10, `${sampler.name}: ${metric} is ${value}`);
    }
  }
});

/** `sampler` with the way of each move times `factor`, or its noise alone. */
function stretched(factor: number, part: "way" | "noise"): Sampler {
  return {
    ...ld,
    step: (state, context) => {
      const draws = part === "way" ? context.draws : { xi: tf.mul(context.draws.xi, factor) };
      const { x } = ld.step(state, { ...context, draws });
      if (part === "noise") return { x };
      return { x: tf.add(state.x, tf.mul(tf.sub(x, state.x), factor)) };
    },
  };
}

Deno.test("runSingleMoves() fails a drift that is 1 % off, and a noise that is 5 % off", async () => {
  assert.deepEqual(await failuresOf(stretched(1.01, "way"), bivariateGaussian), ["drift"]);
  assert.deepEqual(await failuresOf(stretched(1.05, "noise"), bivariateGaussian), ["noise"]);
});
