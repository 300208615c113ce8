import assert from "node:assert/strict";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { eightGaussians } from "../../datasets/toy/eight_gaussians.ts";
import { neuralLikelihood } from "../../datasets/toy/neural_likelihood.ts";
import { ld } from "../../methods/toy/ld.ts";
import { gatesOf } from "./gates.ts";
import { centreOf, normalise } from "./grid.ts";
import { resolveSettings } from "./run_chains.ts";
import type { ScoredRun } from "./score_run.ts";
import { gridTruth } from "./grid_truth.ts";
import type { Truth } from "./truth.ts";
import type { Sampler, Target } from "../core/toy_types.ts";

const SQUARE = { extent: 4, cells: 80 };

/** One posterior of this log density. */
function truthOf(logDensity: (x: number, y: number) => number): Truth {
  const log = Float64Array.from(
    { length: SQUARE.cells ** 2 },
    (_, cell) => logDensity(...centreOf(cell, SQUARE)),
  );
  const answer = { kind: "grid", ...SQUARE, shared: false } as const;
  return gridTruth([normalise(log, SQUARE)], { answer });
}

const gaussian = truthOf((x, y) => -(x * x + y * y) / 2);
const expected = (mean: number, std: number) => ({ mean, std });
const SCORED: ScoredRun = {
  scores: {},
  posteriors: [],
  samples: [],
  exact: { kl: expected(1, 0.1), mode_error: expected(0.05, 0.01) },
  predicted: {
    kl: expected(2, 0.5),
    mean_error: expected(0.1, 0.01),
    mmd2: { ...expected(0.001, 0.001), minimum: -0.001 },
  },
  within: { histogram_tv: expected(0.05, 0.001) },
};

/** Gates of a run of `sampler` on `target`, [low, high] rounded. */
function gates(
  { target, truth = gaussian, sampler = ld, scored = SCORED }: {
    readonly target: Target;
    readonly truth?: Truth;
    readonly sampler?: Sampler;
    readonly scored?: ScoredRun;
  },
) {
  const settings = resolveSettings(sampler, { target });
  return Object.fromEntries(
    Object.entries(gatesOf(scored, { target, sampler, settings, truth })).map((
      [name, { low, high }],
    ) => [name, [Number(low.toFixed(6)), Number(high.toFixed(6))]]),
  );
}

Deno.test("gatesOf() Gaussian posteriors: what theory predicts plus six deviations, and mixing", () => {
  assert.deepEqual(gates({ target: bivariateGaussian }), {
    kl: [-Infinity, 2 + 6 * 0.5],
    mean_error: [-Infinity, 0.16],
    // Of a gamma distribution from -0.001 on: the cube root's deviation is 0.001 / 0.002 / 3.
    mmd2: [-Infinity, Number((0.002 * (1 - 1 / 36 + 1) ** 3 - 0.001).toFixed(6))],
    ess: [200, Infinity],
    r_hat: [-Infinity, 1.05],
  });
});

Deno.test("gatesOf() known modes: weights by mixing between them, histograms by mixing within too", () => {
  // Euler's factor at eta / std^2 = 0.04 is 1 / 0.98.
  assert.deepEqual(gates({ target: eightGaussians }), {
    histogram_tv: [-Infinity, 0.056 + 0.11],
    mode_error: [-Infinity, 0.11],
    modes_missed: [-Infinity, 0],
    within_mode_variance: [Number((0.9 / 0.98).toFixed(6)), Number((1.1 / 0.98).toFixed(6))],
  });
});

Deno.test("gatesOf() other densities: half of what a Gaussian of their moments reaches, at most 0.08", () => {
  // Two modes 4 standard deviations of their Gaussian envelope apart: no Gaussian is near.
  const two = truthOf((x, y) =>
    Math.log(Math.exp(-8 * ((x - 2) ** 2 + y * y)) + Math.exp(-8 * ((x + 2) ** 2 + y * y)))
  );
  assert.deepEqual(gates({ target: neuralLikelihood, truth: two }), {
    histogram_tv: [-Infinity, 0.08],
    modes_missed: [-Infinity, 0],
    ess: [200, Infinity],
  });
  // Laplace's distribution in x, of variance 2: its distance from a Gaussian is 0.13 by the integral, half of it 0.06.
  const laplace = truthOf((x, y) => -2 * Math.abs(x) - y * y / 2);
  const { histogram_tv: [, high] } = gates({ target: neuralLikelihood, truth: laplace });
  assert.ok(high > 0.04 && high < 0.08, `${high}`);
});

Deno.test("gatesOf() asks nothing of a sampler that says why", () => {
  const sampler = { ...ld, ungated: () => "too few steps" };
  assert.deepEqual(gates({ target: bivariateGaussian, sampler }), {});
});
