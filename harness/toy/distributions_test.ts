/**
 * Amortized Langevin dynamics: a step on the last layer is Langevin dynamics of the latents preconditioned by K = G G'
 * (LAE Theorem 1). Each distribution below has a closed form, and chains are held to it within their sampling error.
 */
import assert from "node:assert/strict";
import { fixedNormals } from "../core/noise.ts";
import * as tf from "@tensorflow/tfjs";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { ald, aldAsPrinted, sgald } from "../../methods/toy/ald.ts";
import { ld } from "../../methods/toy/ld.ts";
import { openDevice } from "../engine/device.ts";
import { sweepWidths } from "./amortization_gap.ts";
import { runChains } from "./run_chains.ts";
import type { Draws, Target } from "../core/toy_types.ts";
import type { Matrix } from "../core/types.ts";

/** Points of densities N(means[i], 1 / precision). */
function scalarTarget(inputs: Matrix, means: readonly number[], precision = 1): Target {
  return {
    name: `${means.length} scalars of precision ${precision}`,
    label: "",
    source: "",
    deviations: [],
    points: means.length,
    dim: 1,
    inputs,
    encoder: { depth: 1, width: 32, activation: "relu" },
    parameters: {},
    logDensity: (z) => {
      const difference = tf.sub(tf.squeeze(z, [2]), tf.tensor1d([...means]));
      return tf.mul(tf.square(difference), -precision / 2) as tf.Tensor2D;
    },
    answer: { kind: "gaussian", means: means.map((m) => [m]), covariance: [[1 / precision]] },
    gradientScale: 1,
    stepSize: 0.1,
    batchSize: 1,
    length: { chains: 100, steps: 300, burnIn: 100, thin: 1 },
  };
}

/** Mean over time of the products of a chain's draws `lag` apart, about `mean`, for each chain. */
function covariances({ count, chains, data }: Draws, lag: number): number[] {
  return Array.from({ length: chains }, (_, c) => {
    let sum = 0;
    for (let t = 0; t + lag < count; t++) {
      sum += data[t * chains + c] * data[(t + lag) * chains + c];
    }
    return sum / (count - lag);
  });
}

const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

Deno.test("LD draws correlate as 1 - eta P from one to the next", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const target = scalarTarget([[1]], [0], 2);
  const { draws } = await runChains(ld, { target, device, seed: 0 });
  const ratio = average(covariances(draws, 1)) / average(covariances(draws, 0));
  // Bartlett: the error of rho is sqrt((1 - rho^2) / N) = 0.6 / sqrt(20,000) = 0.0042.
  assert.ok(Math.abs(ratio - 0.8) < 4 * 0.0042, `${ratio}`);
});

Deno.test("ALD moves a point by K = |g|^2: variance and correlation of every chain", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const inputs = [[4, -3, 2, 5, -4, 3]];
  const target = {
    ...scalarTarget(inputs, [0]),
    length: { chains: 100, steps: 2100, burnIn: 100, thin: 1 },
  };
  const stepSize = 0.01;
  const overrides = { ...target.length, stepSize };
  const { draws, state, settings: { featureDim } } = await runChains(aldAsPrinted, {
    target,
    device,
    seed: 0,
    overrides,
  });
  const features = state.features.data;
  const [variance, lagged] = [covariances(draws, 0), covariances(draws, 1)];
  const scores = variance.map((v, chain) => {
    const row = [...features.subarray(chain * featureDim, (chain + 1) * featureDim)];
    const x = stepSize * row.reduce((sum, g) => sum + g * g, 0); // eta K
    assert.ok(x > 0.1 && x < 1.9, `eta K = ${x} of chain ${chain} shows nothing`);
    const rho = 1 - x;
    const count = draws.count * (1 - rho * rho) / (1 + rho * rho); // effective, for squares
    return {
      variance: (v * (1 - x / 2) - 1) / Math.sqrt(2 / count),
      correlation: (lagged[chain] / v - rho) / Math.sqrt((1 - rho * rho) / draws.count),
    };
  });
  // Standard scores of 100 chains: means of 100 err by 0.1, squares by 0.14.
  for (const name of ["variance", "correlation"] as const) {
    const values = scores.map((s) => s[name]);
    assert.ok(Math.abs(average(values)) < 0.5, `${name}: mean score ${average(values)}`);
    const square = average(values.map((v) => v * v));
    assert.ok(square > 0.4 && square < 1.8, `${name}: mean squared score ${square}`);
  }
});

Deno.test("ALD of fewer features than points has variances in proportion to leverages", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const options = { target: bivariateGaussian, device, seed: 0, widths: [1, 2, 3] };
  const { rows, points } = await sweepWidths(ald, options);
  assert.deepEqual(
    rows.map(({ verdict }) => verdict),
    ["pass", "pass", "pass"],
    JSON.stringify(rows),
  );
  for (const { high } of rows) {
    // Some 160 draws of each of 16 chains: 5 sqrt(2 / (2 x 160 x 16)) = 0.1.
    assert.ok(high !== null && high < 0.15, `A bound of ${high} says nothing`);
  }
  for (const width of [1, 2, 3]) {
    // The trace of a projection is its rank.
    const own = points.filter((p) => p.width === width && p.chain === 0);
    const sum = own.reduce((total, { leverage }) => total + leverage, 0);
    assert.ok(Math.abs(sum - width) < 1e-5, `${sum}`);
  }
  // Leverages matter: some point has less than half of its variance.
  assert.ok(points.some((p) => p.leverage < 0.5 && p.varianceRatio < 0.7));
});

const [POINTS, WIDTH, BATCH] = [40, 16, 8];
const inputs = fixedNormals("test/inputs", { rows: POINTS, width: 8 });
const means = fixedNormals("test/means", { rows: 1, width: POINTS })[0];

for (
  const [name, precision, limit] of [
    ["SGALD, n / m times the minibatch gradient, has the variance ratio d / n", 1, WIDTH / POINTS],
    // The potential of the current minibatch alone is that of precision m / n with weights n / m.
    ["SGALD without that factor has the ratio d / m", BATCH / POINTS, WIDTH / BATCH],
  ] as const
) {
  Deno.test(name, async () => {
    await using device = await openDevice("cpu", { threads: 1 });
    const length = { chains: 64, steps: 4000, burnIn: 1000, thin: 10 };
    const target = { ...scalarTarget(inputs, means, precision), length, batchSize: BATCH };
    const stepSize = 0.02 / precision;
    const overrides = { stepSize, featureDim: WIDTH };
    const { draws, state } = await runChains(sgald, { target, device, seed: 0, overrides });
    const { count, chains, data } = draws;
    const ratios: number[] = [];
    const expected: number[] = [];
    for (let chain = 0; chain < chains; chain++) {
      const at = chain * POINTS * WIDTH;
      const features = Array.from({ length: POINTS }, (_, i) => [
        ...state.features.data.subarray(at + i * WIDTH, at + (i + 1) * WIDTH),
      ]);
      const { centre, variance } = stationary(features, { stepSize, precision });
      expected.push(average(variance));
      ratios.push(average(variance.map((_, i) => {
        let sum = 0;
        for (let t = 0; t < count; t++) {
          sum += (data[(t * chains + chain) * POINTS + i] - centre[i]) ** 2;
        }
        return sum / count;
      })));
    }
    const [measured, theory] = [average(ratios), average(expected)];
    // Modes of 16 features relax in 1 / 0.02 steps: 3,000 / 50 x 16 x 64 squares, independent, know their mean to 0.6 %.
    const error = theory * Math.sqrt(2 / (3000 / 50 * WIDTH * chains));
    assert.ok(
      Math.abs(measured - theory) < 4.5 * error,
      `${measured}, theory ${theory} +- ${error}`,
    );
    // What the step adds to the distribution of small steps is of the first order, eta P n / m and the residuals' share.
    assert.ok(theory / limit > 1 && theory / limit < 1.5, `${theory}, limit ${limit}`);
  });
}

/**
 * Stationary mean and variances of z = G Phi under Phi' = Phi - eta P G' W (G Phi - M) + sqrt(2 eta) xi, W diagonal with
 * weights n / m for m points without replacement: E w_i w_j = n / m on the diagonal and (n / m) (m - 1) / (n - 1) off it. The
 * columns of G are orthonormal. The covariance of Phi is the fixed point of
 * S = S - 2 eta P S + eta^2 P^2 G' ((G S G' + r r') o E w w') G + 2 eta I, r = (I - G G') M the residual of the mean.
 */
function stationary(
  features: Matrix,
  { stepSize, precision }: { readonly stepSize: number; readonly precision: number },
): { readonly centre: number[]; readonly variance: number[] } {
  const x = stepSize * precision;
  const coefficients = features[0].map((_, k) =>
    features.reduce((sum, row, i) => sum + row[k] * means[i], 0)
  );
  const centre = features.map((row) => row.reduce((sum, g, k) => sum + g * coefficients[k], 0));
  const residual = centre.map((c, i) => c - means[i]);
  const own = POINTS / BATCH;
  const pair = own * (BATCH - 1) / (POINTS - 1);
  let s = coefficients.map((_, a) => coefficients.map((_, b) => Number(a === b) / precision));
  for (let step = 0; step < 400; step++) { // (1 - 2 eta P)^400 = 1e-7
    const gs = features.map((row) =>
      s[0].map((_, b) => row.reduce((sum, g, a) => sum + g * s[a][b], 0))
    );
    const inner = gs.map((left, i) =>
      features.map((right, j) => {
        const v = left.reduce((sum, g, k) => sum + g * right[k], 0) + residual[i] * residual[j];
        return v * (i === j ? own : pair);
      })
    );
    const half = inner.map((row) =>
      s.map((_, b) => row.reduce((sum, v, j) => sum + v * features[j][b], 0))
    );
    s = s.map((row, a) =>
      row.map((v, b) => {
        const noise = features.reduce((sum, g, i) => sum + g[a] * half[i][b], 0);
        return (1 - 2 * x) * v + x * x * noise + (a === b ? 2 * stepSize : 0);
      })
    );
  }
  const variance = features.map((row) =>
    row.reduce((sum, g, a) => sum + g * row.reduce((t, h, b) => t + s[a][b] * h, 0), 0)
  );
  return { centre, variance };
}
