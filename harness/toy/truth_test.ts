/** Answers worked out on grids, where they are also known. */
import assert from "node:assert/strict";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { eightGaussians } from "../../datasets/toy/eight_gaussians.ts";
import { neuralLikelihood } from "../../datasets/toy/neural_likelihood.ts";
import { univariateGaussian } from "../../datasets/toy/univariate_gaussian.ts";
import { openDevice } from "../engine/device.ts";
import { momentsOf } from "../statistics/gaussian_error.ts";
import { findModes, modeShares } from "./modes.ts";
import { binned, drawFromGrid, tabulate } from "./grid.ts";
import { gaussianTruth } from "./gaussian_truth.ts";
import { gaussianKl, gridTruth } from "./grid_truth.ts";
import type { GridAnswer } from "../core/toy_types.ts";

const GRID: GridAnswer = { kind: "grid", extent: 6, cells: 240, shared: false };

Deno.test("the bivariate posterior is that of methods 2.1", () => {
  const { covariance, means } = bivariateGaussian.answer;
  const expected = [[1 / 3, 2 / 9], [2 / 9, 10 / 27]];
  covariance.forEach((row, i) =>
    row.forEach((v, j) => assert.ok(Math.abs(v - expected[i][j]) < 1e-12))
  );
  // The mean is A x, A = [[0.666667, -0.222222], [-0.222222, 0.629630]].
  bivariateGaussian.inputs.forEach(([a, b], i) => {
    assert.ok(Math.abs(means[i][0] - (2 / 3 * a - 2 / 9 * b)) < 1e-9);
    assert.ok(Math.abs(means[i][1] - (-2 / 9 * a + 17 / 27 * b)) < 1e-9);
  });
});

Deno.test("the univariate posterior has mean x / 1.01 and variance 1 / 101", () => {
  const { covariance, means } = univariateGaussian.answer;
  assert.ok(Math.abs(covariance[0][0] - 0.00990099) < 1e-8);
  univariateGaussian.inputs.forEach(([x], i) =>
    assert.ok(Math.abs(means[i][0] - x / 1.01) < 1e-12)
  );
});

Deno.test("tabulate() finds moments and normalizer of Gaussian posteriors", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const grids = await tabulate({ ...bivariateGaussian, answer: GRID }, device);
  const { covariance, means } = bivariateGaussian.answer;
  grids.forEach((grid, i) => {
    // exp(-(z - m)' P (z - m) / 2) integrates to 2 pi sqrt(det S), det S = 2 / 27.
    assert.ok(Math.abs(grid.logNormalizer - Math.log(2 * Math.PI * Math.sqrt(2 / 27))) < 1e-5);
    assert.ok(Math.abs(gaussianKl({ mean: means[i], covariance }, grid)) < 1e-4);
    const { mean, covariance: measured } = momentsOf(
      drawFromGrid(grid, { count: 40_000, seed: "a" }),
    );
    mean.forEach((m, k) => assert.ok(Math.abs(m - means[i][k]) < 4.5 * Math.sqrt(0.37 / 40_000)));
    // 4.5 sqrt(2 / 40,000) = 3.2 %.
    assert.ok(Math.abs(measured[0][0] / covariance[0][0] - 1) < 0.032);
  });
});

Deno.test("a Gaussian's scores do not depend on whether it is known or on a grid", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const grids = await tabulate({ ...bivariateGaussian, answer: GRID }, device);
  const known = gaussianTruth(bivariateGaussian.answer);
  const truth = gridTruth(grids, { answer: GRID });
  const samples = [0, 1, 2].map((i) => known.draw(i, { count: 4000, seed: `sample/${i}` }));
  const own = [0, 1, 2].map((i) => truth.draw(i, { count: 4000, seed: `sample/${i}` }));
  // KL of fitted moments is chi-square with 5 degrees over 2 N: mean 6e-4, std 4e-4 for one of three.
  assert.ok(Math.abs(known.score(own).all.kl - 5 / 8000) < 5 * 4e-4 / Math.sqrt(3));
  assert.ok(Math.abs(truth.score(samples).all.kl - 5 / 8000) < 5 * 4e-4 / Math.sqrt(3) + 1e-4);
});

Deno.test("Truth.scoreDistributions() are those of independent draws, biased ones too", () => {
  const means = [[0, 0], [3, -1]];
  const truth = gaussianTruth({ kind: "gaussian", means, covariance: [[0.5, 0], [0, 2]] });
  for (
    const [replicates, sizes, ratios] of [[500, [30, 70], [1, 1]], [200, [90, 10], [
      1.5,
      0.8,
    ]]] as const
  ) {
    const covariance = [[0.5 * ratios[0], 0], [0, 2 * ratios[1]]];
    const biased = gaussianTruth({ kind: "gaussian", means, covariance });
    const values = Array.from({ length: replicates }, (_, r) => {
      const draw = (count: number, i: number) =>
        biased.draw(i, { count, seed: `${ratios}/${r}/${i}` });
      return truth.score(sizes.map(draw)).all.mmd2;
    });
    const mean = values.reduce((a, b) => a + b) / replicates;
    const moment = (k: number) => values.reduce((sum, v) => sum + (v - mean) ** k, 0) / replicates;
    const std = Math.sqrt(moment(2));
    const { mmd2 } = truth.scoreDistributions(sizes, ratios);
    assert.ok(Math.abs(mean - mmd2.mean) < 4.5 * std / Math.sqrt(replicates), `mean ${mean}`);
    const error = std * Math.sqrt((moment(4) / std ** 4 - 1) / (4 * replicates)); // of a deviation
    assert.ok(Math.abs(std - mmd2.std) < 4.5 * error, `${std} +- ${error}, not ${mmd2.std}`);
  }
  // Of two posteriors at most 1,000 draws each are pooled, and of those 1,200 seen.
  const least = (sizes: number[]) => truth.scoreDistributions(sizes, [1, 1]).mmd2.minimum ?? 0;
  const pooled = (count: number) => -(1 - 1 / 2) / (count - 1); // E k is 1 / 2 in two dimensions
  const counts = [[[3000, 40], 1040], [[3000, 3000], 1200], [[10, 10], 20]] as const;
  for (const [sizes, count] of counts) {
    assert.ok(Math.abs(least([...sizes]) / pooled(count) - 1) < 1e-12, `${sizes}`);
  }
});

Deno.test("findModes() finds eight modes of an eighth each", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const { answer } = eightGaussians;
  assert.ok(answer.kind === "grid");
  const [grid] = await tabulate({ ...eightGaussians, answer }, device);
  const modes = findModes(grid);
  assert.equal(modes.weights.length, 8);
  modes.weights.forEach((w) => assert.ok(Math.abs(w - 1 / 8) < 2e-3, `${w}`));
  const sample = drawFromGrid(grid, { count: 10_000, seed: "modes" });
  const shares = modeShares(sample, { modes, grid });
  const tv = shares.reduce((sum, s) => sum + Math.abs(s - 1 / 8), 0) / 2;
  // methods 2.2, exact draws: 0.0095 on average, 0.016 at 95 %.
  assert.ok(tv > 0.001 && tv < 0.025, `${tv}`);
  const scores = gridTruth([grid], { answer }).score([sample]).all;
  assert.equal(scores.modes_missed, 0);
  // Coordinates about the nearest centre: sqrt(1 / 10,000) = 1 %.
  assert.ok(Math.abs(scores.within_mode_variance - 1) < 0.05, `${scores.within_mode_variance}`);
  // methods 2.2, 40 x 40 bins, exact draws: 0.092 / 0.096, on bins of about this size.
  assert.ok(Math.abs(scores.histogram_tv - 0.092) < 0.01, `${scores.histogram_tv}`);
});

Deno.test("every neural posterior has several modes, and draws of the grid are exact", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const { answer } = neuralLikelihood;
  assert.ok(answer.kind === "grid");
  const grids = await tabulate({ ...neuralLikelihood, answer }, device);
  for (const grid of grids) {
    assert.ok(findModes(grid).weights.filter((w) => w > 0.05).length >= 2);
    // All the mass is inside: none within a tenth of the border.
    const bins = binned(grid, 40);
    const border = bins.filter((_, i) => [i % 40, Math.floor(i / 40)].some((k) => k < 2 || k > 37));
    assert.ok(border.reduce((a, b) => a + b, 0) < 1e-4);
  }
});

Deno.test("gridTruth() counts a mode as missed below a third of its weight", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const { answer } = eightGaussians;
  assert.ok(answer.kind === "grid" && answer.modes);
  const truth = gridTruth(await tabulate({ ...eightGaussians, answer }, device), { answer });
  const { centres } = answer.modes;
  // Of 80 draws at the centres 10 are due to each mode: one has 17, one has 3.
  const scoreOf = (few: number) => {
    const rows = centres.flatMap((centre, mode) =>
      Array<readonly number[]>(mode === 0 ? few : mode === 1 ? 20 - few : 10).fill(centre)
    );
    return truth.score([{ count: 80, dim: 2, data: Float64Array.from(rows.flat()) }]).all;
  };
  assert.equal(scoreOf(3).modes_missed, 1);
  assert.equal(scoreOf(4).modes_missed, 0);
  // Half of 7/80 + 7/80; weights of the grid are an eighth to 2e-3.
  assert.ok(Math.abs(scoreOf(3).mode_error - 7 / 80) < 8e-3, `${scoreOf(3).mode_error}`);
});

Deno.test("gaussianTruth() takes root mean squares over the points", () => {
  const means = [[0], [10]];
  const truth = gaussianTruth({ kind: "gaussian", means, covariance: [[4]] });
  const at = (centre: number) => ({
    count: 4,
    dim: 1,
    data: Float64Array.of(centre - 3, centre - 1, centre + 1, centre + 3),
  });
  // One point is right, the other off by 3 = 1.5 standard deviations. Variance 20 / 3: over 4, less 1, is 2 / 3.
  const { all, each } = truth.score([at(0), at(13)]);
  assert.deepEqual(each.map(({ mean_error }) => mean_error), [0, 1.5]);
  assert.ok(Math.abs(all.mean_error - 1.5 / Math.SQRT2) < 1e-12);
  assert.ok(Math.abs(all.covariance_error - 2 / 3) < 1e-12);
  // KL = (5/3 + shift^2 - 1 - log 5/3) / 2.
  const kl = (5 / 3 - 1 - Math.log(5 / 3)) / 2;
  assert.ok(Math.abs(all.kl - (kl + 1.5 ** 2 / 4)) < 1e-12);
  // Whitened by its own mean each: the far point does not show in distances by more than its shift.
  assert.ok(all.sliced_w2 < 1.5, `${all.sliced_w2}`);
  // Fits stand for moments.
  const fits = [{ mean: [0], covariance: [[4]] }, { mean: [10], covariance: [[4]] }];
  assert.ok(Math.abs(truth.score([at(0), at(13)], { fits }).all.kl) < 1e-12);
});

Deno.test("drawFromGrid() draws evenly within a cell", () => {
  const mass = new Float64Array(16);
  mass[6] = 1; // row 1, column 2 of cells of side 1
  const grid = { extent: 2, cells: 4, mass, logNormalizer: 0 };
  const { data } = drawFromGrid(grid, { count: 2000, seed: "cell" });
  for (const [k, centre] of [[0, -0.5], [1, 0.5]]) {
    const own = Array.from({ length: 2000 }, (_, n) => data[2 * n + k] - centre);
    assert.ok(own.every((v) => Math.abs(v) <= 0.5));
    // Uniform: variance 1/12, of a fourth moment 1/80, so known to sqrt(1/80 - 1/144) / sqrt(2000) = 1.7e-3.
    const variance = own.reduce((sum, v) => sum + v * v, 0) / own.length;
    assert.ok(Math.abs(variance - 1 / 12) < 4.5 * 1.7e-3, `${variance}`);
  }
});
