import assert from "node:assert/strict";
import { compareToFits } from "./compare_fits.ts";
import { centreOf, normalise } from "./grid.ts";
import type { ToyRun } from "../core/toy_report.ts";
import { gaussianTruth } from "./gaussian_truth.ts";
import { gridTruth } from "./grid_truth.ts";

const SQUARE = { extent: 4, cells: 40 };

/** A density of modes at (-distance, 0) and (distance, 0). */
function twoModes(distance: number) {
  const log = Float64Array.from({ length: SQUARE.cells ** 2 }, (_, cell) => {
    const [x, y] = centreOf(cell, SQUARE);
    const [a, b] = [x - distance, x + distance].map((d) => -2 * (d * d + y * y));
    return Math.log(Math.exp(a) + Math.exp(b));
  });
  const answer = { kind: "grid", ...SQUARE, shared: false } as const;
  return gridTruth([normalise(log, SQUARE)], { answer });
}

function run(sampler: string, posteriors: ToyRun["posteriors"], note: string | null): ToyRun {
  return {
    experiment: "two_modes",
    sampler,
    label: sampler,
    settings: {
      chains: 1,
      steps: 2,
      burnIn: 1,
      thin: 1,
      stepSize: 1,
      batchSize: 1,
      featureDim: 1,
    },
    rows: [],
    posteriors,
    note,
    seconds: 1,
    chainStepsPerSecond: 1,
    gradients: 1,
    gram: null,
    shown: [],
  };
}

const fits = { diagonal: "diagonal", full: "full" };
const diagonal = run("diagonal", [{ kl: 0.7, histogram_tv: 0.5 }], "a fit");
const full = run("full", [{ kl: 0.6, histogram_tv: 0.4 }], "a fit");
const chain = run("chain", [{ kl: 1, histogram_tv: 0.1 }], null);

/** Verdicts and values by sampler and metric. */
function compared(runs: readonly ToyRun[], truth = twoModes(2)) {
  return Object.fromEntries(
    compareToFits({ runs, truth, fits }).map((row) => [
      `${row.sampler} ${row.metric}`,
      `${row.value?.toFixed(2)} ${row.verdict}`,
    ]),
  );
}

Deno.test("compareToFits() holds samplers to half of the best fit's total variation", () => {
  assert.deepEqual(compared([chain, diagonal, full]), {
    "chain tv_over_fit": "0.25 pass",
    "full kl_over_diagonal": "-0.10 pass",
    "full least_kl": "0.60 pass",
  });
  const poor = { ...chain, posteriors: [{ kl: 1, histogram_tv: 0.208 }] };
  assert.equal(compared([poor, diagonal, full])["chain tv_over_fit"], "0.52 fail");
  const shown = { ...poor, note: "too few steps" };
  assert.equal(compared([shown, diagonal, full])["chain tv_over_fit"], "0.52 shown");
});

Deno.test("compareToFits() takes the worst posterior", () => {
  const two = (...kls: number[]) => kls.map((kl) => ({ kl, histogram_tv: 0.4 }));
  const rows = compared([
    { ...diagonal, posteriors: two(0.7, 0.7) },
    { ...full, posteriors: two(0.2, 0.72) },
    { ...chain, posteriors: [{ histogram_tv: 0.1 }, { histogram_tv: 0.3 }] },
  ]);
  assert.deepEqual(rows, {
    "chain tv_over_fit": "0.75 fail",
    "full kl_over_diagonal": "0.02 fail",
    "full least_kl": "0.20 pass",
  });
});

Deno.test("compareToFits() fails a fit that is as good as exact on two modes", () => {
  const exact = { ...full, posteriors: [{ kl: 0.05, histogram_tv: 0.4 }] };
  assert.equal(compared([diagonal, exact])["full least_kl"], "0.05 fail");
});

Deno.test("compareToFits() asks only for nested fits where there is one mode", () => {
  const gaussian = gaussianTruth({ kind: "gaussian", means: [[0]], covariance: [[1]] });
  for (const truth of [twoModes(0), gaussian]) {
    assert.deepEqual(Object.keys(compared([chain, diagonal, full], truth)), [
      "full kl_over_diagonal",
    ]);
  }
});

Deno.test("compareToFits() leaves out runs that diverged", () => {
  assert.deepEqual(
    Object.keys(compared([{ ...chain, posteriors: [] }, diagonal, full])).length,
    2,
  );
  assert.deepEqual(compared([chain, diagonal, { ...full, posteriors: [] }]), {});
});
