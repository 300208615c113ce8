import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { doubleWell } from "../../datasets/toy/double_well.ts";
import { funnel } from "../../datasets/toy/funnel.ts";
import { neuralLikelihood } from "../../datasets/toy/neural_likelihood.ts";
import { ld } from "../../methods/toy/ld.ts";
import { MOVERS } from "../../methods/toy/mod.ts";
import { rungeKuttaLd } from "../../methods/toy/stochastic_runge_kutta.ts";
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

/** Changes of the moves' metrics on `target`, in standard errors, where stochastic Runge-Kutta has 1.1 times its second noise. */
async function changesOf(target: Target): Promise<Record<string, number>> {
  await using device = await openDevice("cpu", { threads: 1 });
  const bent: Sampler = {
    ...rungeKuttaLd,
    step: (state, { draws, ...context }) =>
      rungeKuttaLd.step(state, {
        ...context,
        draws: { ...draws, other: tf.mul(draws.other, 1.1) },
      }),
  };
  const [right, wrong] = [
    await runSingleMoves(rungeKuttaLd, { target, device, seed: 0 }),
    await runSingleMoves(bent, { target, device, seed: 0 }),
  ];
  return Object.fromEntries(
    right.map(({ metric, value, error }, i) => [
      metric,
      ((wrong[i].value ?? NaN) - (value ?? NaN)) / (error ?? NaN),
    ]),
  );
}

Deno.test("runSingleMoves() measures what the second noise of a rule changes", async () => {
  // The second noise is a quarter of the squared effect, (1 / 12) / (1 / 4 + 1 / 12), of which 1.1^2 makes 2.6 % more of the root.
  // 5,000 coordinates know that quarter to 2 sqrt(2 / 5,000) x 3 / 4 = 3 %, three times.
  const share = (Math.sqrt(3 / 4 + 1.21 / 4) - 1) / 1e-4; // relative to its standard error
  const { noise_change } = await changesOf(bivariateGaussian);
  assert.ok(Math.abs(noise_change / share - 1) < 0.09, `${noise_change}, theory ${share}`);
});

Deno.test("runSingleMoves() sees a second noise that is 10 % off where it hardly changes the size of moves", async () => {
  // The check has room for 6 sqrt(2) standard errors.
  const room = 6 * Math.SQRT2;
  const { noise_change, noise_long, drift_long } = await changesOf(funnel);
  assert.ok(noise_change > 10 * room, `${noise_change} standard errors`);
  assert.ok(Math.abs(noise_long) < room && Math.abs(drift_long) < room);
});
