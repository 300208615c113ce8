import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { eightGaussians } from "../../datasets/toy/eight_gaussians.ts";
import { ld } from "../../methods/toy/ld.ts";
import { malaLong } from "../../methods/toy/metropolis.ts";
import { openDevice } from "../engine/device.ts";
import type { Sampler, Target } from "../core/toy_types.ts";
import { runDecisions } from "./decisions.ts";

async function decide(sampler: Sampler, target: Target, seed = 0) {
  await using device = await openDevice("cpu", { threads: 1 });
  return await runDecisions(sampler, { target, device, seed });
}

Deno.test("runDecisions() passes a right test, by about a normal score", async () => {
  for (const target of [bivariateGaussian, eightGaussians]) {
    for (const seed of [0, 1, 2]) {
      const { verdict, value } = await decide(malaLong, target, seed);
      assert.ok(verdict === "pass" && value !== null && value < 4, `${target.name}: ${value}`);
    }
  }
});

Deno.test("runDecisions() fails thresholds u^1.1, which accept 1 % too often, and a test that accepts everything", async () => {
  /** `malaLong` with thresholds 1 - u of the rule, which takes 1 - threshold, to this power. */
  const withPower = (power: number): Sampler => ({
    ...malaLong,
    step: (state, context) => {
      const uniform = tf.pow(tf.sub(1, context.draws.threshold), power);
      const draws = { ...context.draws, threshold: tf.sub(1, uniform) };
      return malaLong.step(state, { ...context, draws });
    },
  });
  assert.equal((await decide(withPower(1), eightGaussians)).verdict, "pass");
  assert.equal((await decide(withPower(1.1), eightGaussians)).verdict, "fail");
  assert.equal((await decide(withPower(1e3), bivariateGaussian)).verdict, "fail");
});

Deno.test("runDecisions() refuses a sampler without a Metropolis test", async () => {
  await assert.rejects(decide(ld, bivariateGaussian), /ld has no Metropolis test/);
});
