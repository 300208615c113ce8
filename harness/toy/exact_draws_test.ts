/** Independent draws from the truth pass every gate of a Gaussian target, in few dimensions and in many. */
import assert from "node:assert/strict";
import { standardNormal } from "../../datasets/toy/standard_normal.ts";
import { ald } from "../../methods/toy/ald.ts";
import type { GaussianAnswer, Target } from "../core/toy_types.ts";
import { upperBound } from "../statistics/upper_bound.ts";
import { gatesOf } from "./gates.ts";
import { gaussianTruth } from "./gaussian_truth.ts";
import { resolveSettings } from "./run_chains.ts";
import { GATE_DEVIATIONS, scoreRun } from "./score_run.ts";

/** Draws of a chain, and chains. */
const [COUNT, CHAINS] = [400, 5];

/** N(0, I) in `dim` dimensions, with one observation. */
function normalTarget(dim: number): Target & { readonly answer: GaussianAnswer } {
  const zeros = Array<number>(dim).fill(0);
  const covariance = zeros.map((_, i) => zeros.map((_, j) => Number(i === j)));
  const answer = { kind: "gaussian", means: [zeros], covariance } as const;
  return { ...standardNormal, name: `normal_${dim}`, points: 1, dim, inputs: [[1]], answer };
}

/** The draws of `truth` times `scale`, as a run of chains that forget at once. */
function scoredDraws(target: ReturnType<typeof normalTarget>, scale: number) {
  const truth = gaussianTruth(target.answer);
  const sampler = { ...ald, varianceRatio: () => 1, fits: undefined };
  const settings = { ...resolveSettings(sampler, { target }), chains: CHAINS };
  const { data } = truth.draw(0, { count: COUNT * CHAINS, seed: "chains" });
  const run = {
    settings,
    draws: {
      count: COUNT,
      chains: CHAINS,
      points: 1,
      dim: target.dim,
      data: Float32Array.from(data, (v) => scale * v),
    },
    energies: new Float32Array(0),
    acceptance: null,
    state: {},
    seconds: 1,
    chainStepsPerSecond: 1,
    gradients: 1,
  };
  const scored = scoreRun(run, { target, sampler, truth });
  return { scored, gates: gatesOf(scored, { target, sampler, settings, truth }) };
}

for (const dim of [1, 20]) {
  Deno.test(`exact draws in ${dim} dimensions pass every gate, draws a quarter too wide do not`, () => {
    const failed = (scale: number) => {
      const { scored: { scores }, gates } = scoredDraws(normalTarget(dim), scale);
      return Object.keys(gates)
        .filter((name) => !(scores[name] >= gates[name].low && scores[name] <= gates[name].high));
    };
    assert.deepEqual(failed(1), []);
    assert.ok(failed(1.25).includes("mmd2"), "the kernel sees the width");
  });
}

for (const dim of [1, 2, 5, 15, 50, 100]) {
  Deno.test(`the bound on MMD in ${dim} dimensions holds for exact draws, whatever their number`, () => {
    const truth = gaussianTruth(normalTarget(dim).answer);
    for (const [seed, count] of [1200, 1201, 1500, 2000].entries()) {
      const draws = truth.draw(0, { count, seed: `draws ${seed}` });
      const { mmd2 } = truth.scoreDistributions([count], Array(dim).fill(1));
      const value = truth.score([draws]).all.mmd2;
      assert.ok(value < upperBound(mmd2, GATE_DEVIATIONS), `${count}: ${value}`);
      // An absolute bound, so that it is not met by a kernel that sees nothing.
      assert.ok(mmd2.std > 1e-6, `${mmd2.std}`);
    }
  });
}
