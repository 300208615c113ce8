/** Stationary distributions of Euler's rule on grids, against closed forms and an independent computation. */
import assert from "node:assert/strict";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { eightGaussians } from "../../datasets/toy/eight_gaussians.ts";
import { openDevice } from "../engine/device.ts";
import { symmetricEigen } from "../linalg/symmetric_eigen.ts";
import { eulerStationary } from "./euler_grid.ts";
import { type Grid, tabulate, tabulateGradients } from "./grid.ts";
import { gridDistribution } from "./known_distribution.ts";
import type { GridAnswer, Target } from "../core/toy_types.ts";

async function tabulated(target: Target, answer: GridAnswer) {
  await using device = await openDevice("cpu", { threads: 1 });
  const [grid] = await tabulate({ ...target, answer }, device);
  const [gradient] = await tabulateGradients({ ...target, answer }, device);
  return { grid, gradient };
}

/** Bias of mean energy, covariance and mean of Euler's rule. */
function biasOf(
  { grid, gradient }: { readonly grid: Grid; readonly gradient: Float64Array },
  kernel: Parameters<typeof eulerStationary>[1]["kernel"],
) {
  const exact = gridDistribution(grid, grid.mass);
  const own = gridDistribution(grid, eulerStationary(grid, { gradient, kernel }));
  return { exact, own, energy: own.energy - exact.energy };
}

const GAUSSIAN: GridAnswer = { kind: "grid", extent: 5, cells: 200, shared: false };

Deno.test("eulerStationary() has the closed-form covariance on a Gaussian", async () => {
  const stepSize = bivariateGaussian.stepSize;
  const { covariance, means } = bivariateGaussian.answer;
  const { values } = symmetricEigen(covariance);
  const tables = await tabulated(bivariateGaussian, GAUSSIAN);
  // Full batches have 1 / (1 - eta P / 2), minibatches of a third of the points that of 3 eta.
  for (const share of [1, 1 / 3]) {
    const ratios = values.map((v) => 1 / (1 - stepSize / share / v / 2));
    const { own, energy } = biasOf(tables, { stepSize, share });
    const expected = ratios.reduce((sum, ratio) => sum + (ratio - 1) / 2, 0); // 0.0509, 0.187
    // The grid's error: cubic weights leave terms of the fourth order of a cell.
    assert.ok(Math.abs(energy - expected) < 3e-4, `${energy}, ${expected}`);
    own.mean.forEach((m, i) => assert.ok(Math.abs(m - means[0][i]) < 1e-4));
    const trace = own.second.reduce((sum, row, i) => sum + row[i] - own.mean[i] ** 2, 0);
    const biased = values.reduce((sum, v, k) => sum + v * ratios[k], 0);
    assert.ok(Math.abs(trace / biased - 1) < 3e-4, `${trace}, ${biased}`);
  }
});

Deno.test("eulerStationary() agrees with an independent computation on a ring of eight Gaussians", async () => {
  const { answer, stepSize } = eightGaussians;
  assert.ok(answer.kind === "grid");
  const tables = await tabulated(eightGaussians, { ...answer, cells: 200 });
  const { exact, own, energy } = biasOf(tables, { stepSize, share: 1 });
  // numpy, the same kernel on 320 x 320 cells: 0.02158 and 0.00425.
  assert.ok(Math.abs(energy - 0.0216) < 2e-4, `${energy}`);
  const square = own.second[0][0] - exact.second[0][0];
  assert.ok(Math.abs(square - 0.0043) < 3e-4, `${square}`);
  // As many draws are below the median of the density as of the biased one: both are symmetric.
  assert.ok(Math.abs(own.quantile(0, 0.5)) < 1e-3 && Math.abs(exact.quantile(1, 0.5)) < 1e-3);
});

Deno.test("eulerStationary() refuses a step below the grid's cells, and a grid below the chain's reach", async () => {
  const tables = await tabulated(bivariateGaussian, GAUSSIAN);
  assert.throws(
    () => biasOf(tables, { stepSize: 1e-4, share: 1 }),
    /blurs by 0\.28 cells, less than one: use a grid of more cells/,
  );
  const narrow = await tabulated(bivariateGaussian, { ...GAUSSIAN, extent: 2 });
  assert.throws(
    () => biasOf(narrow, { stepSize: 0.02, share: 1 }),
    /at the border of the grid: use a larger extent/,
  );
});
