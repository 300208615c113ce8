/** Stationary variances on N(0, 1), where every integrator's is known in closed form. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../../harness/engine/device.ts";
import { varianceAboutZero } from "../../harness/toy/bias_slopes.ts";
import { runChains } from "../../harness/toy/run_chains.ts";
import type { Sampler, Target } from "../../harness/core/toy_types.ts";
import { ald } from "./ald.ts";
import { ld, sgld } from "./ld.ts";
import { aldMetropolis, mala } from "./metropolis.ts";
import { independentMidpointLd, midpointLd, optimisticMidpointLd } from "./midpoint.ts";
import { MIRROR_SCALE, mirrorLd } from "./mirror.ts";
import { proximalLd } from "./proximal.ts";
import { rungeKuttaLd } from "./stochastic_runge_kutta.ts";

const GAMMA = 0.4;

/** Four points of density N(0, 1). */
const target: Target = {
  name: "standard_normal",
  label: "N(0, 1)",
  source: "this test",
  deviations: [],
  points: 4,
  dim: 1,
  inputs: [[1, 0], [0, 1], [1, 1], [-1, 2]],
  encoder: { depth: 2, width: 16, activation: "relu" },
  parameters: {},
  logDensity: (z) => tf.mul(tf.sum(tf.square(z), 2), -0.5) as tf.Tensor2D,
  answer: { kind: "gaussian", means: [[0], [0], [0], [0]], covariance: [[1]] },
  gradientScale: 1,
  stepSize: GAMMA,
  batchSize: 2,
  length: { chains: 2000, steps: 240, burnIn: 30, thin: 3 }, // (1 - 0.4)^30 = 2e-7 of the start is left
};

/** The formulas at gamma = 0.4, written out once more; MH leaves no bias; a batch of 2 of 4 doubles Euler's x. */
const KNOWN: readonly (readonly [Sampler, number])[] = [
  [ld, 1.25],
  [ald, 1.25],
  [sgld, 1 / (1 - GAMMA)],
  [mala, 1],
  [aldMetropolis, 1],
  [proximalLd, 1 / 1.2],
  [midpointLd, 0.68 / (0.68 - 0.064 / 6)],
  [independentMidpointLd, 1.08 / (0.68 - 0.064 / 6)],
  [optimisticMidpointLd, 0.98113],
  [rungeKuttaLd, (0.6 + 0.16 / 3) / (0.68 - 0.008)],
  [mirrorLd, mirrorVariance(GAMMA)],
];

/** Rules whose variances are within 2 % of another's: it takes some three million draws to tell them apart. */
const CLOSE = new Set([ld, mirrorLd, mala, midpointLd, optimisticMidpointLd, rungeKuttaLd]);

/** Standard errors that a variance may be off. */
const DEVIATIONS = 4.5;

for (const [sampler, known] of KNOWN) {
  Deno.test(`${sampler.name} has its closed-form variance on N(0, 1), and no other rule's`, async () => {
    await using device = await openDevice("cpu", { threads: 1 });
    const chains = CLOSE.has(sampler) ? 10_000 : 2000;
    const overrides = { stepSize: GAMMA, chains };
    const { draws } = await runChains(sampler, { target, device, seed: 0, overrides });
    const { variance, error } = varianceAboutZero(draws);
    assert.ok(
      Math.abs(variance - known) < DEVIATIONS * error,
      `variance ${variance} ± ${error}, known ${known}`,
    );
    const mean = draws.data.reduce((a, b) => a + b) / draws.data.length;
    // Of x, some 0.8 / 0.2 steps are one: at most twice the error of as many independent draws, 3 steps apart.
    assert.ok(Math.abs(mean) < DEVIATIONS * 2 * Math.sqrt(known / draws.data.length), `${mean}`);
    const gaps = KNOWN.map(([, other]) => Math.abs(other - known)).filter((gap) => gap > 1e-9);
    const closest = Math.min(...gaps);
    if (sampler !== ald && sampler !== aldMetropolis) { // LD and MALA with fewer chains
      assert.ok(2 * DEVIATIONS * error < closest, `± ${error} does not tell ${closest} apart`);
    }
    const settings = {
      ...target.length,
      stepSize: GAMMA,
      batchSize: target.batchSize,
      featureDim: 16,
    };
    const ratio = sampler.varianceRatio?.(1, { target, settings });
    // The mirror's ratio is that of its flat middle.
    if (ratio !== undefined && sampler !== mirrorLd) assert.ok(Math.abs(ratio / known - 1) < 1e-4);
  });
}

/**
 * Variance of the mirror chain at gamma on N(0, 1), by iterating its kernel in the dual on a grid: y' ~ N(y - gamma x / s,
 * 2 gamma / (s^2 sqrt(1 + sinh^2 y))), x = s sinh y.
 */
function mirrorVariance(gamma: number): number {
  const [size, reach] = [401, 1.6]; // |x| up to 9.5
  const ys = Array.from({ length: size }, (_, i) => (2 * i / (size - 1) - 1) * reach);
  const xs = ys.map((y) => MIRROR_SCALE * Math.sinh(y));
  const kernel = ys.map((y, i) => {
    const mean = y - gamma * xs[i] / MIRROR_SCALE;
    const variance = 2 * gamma / MIRROR_SCALE ** 2 / Math.cosh(y);
    const row = ys.map((v) => Math.exp(-((v - mean) ** 2) / (2 * variance)));
    const sum = row.reduce((a, b) => a + b);
    return row.map((v) => v / sum);
  });
  let masses = ys.map(() => 1 / size);
  for (let i = 0; i < 60; i++) { // (1 - gamma)^60 = 5e-14
    const next = Array<number>(size).fill(0);
    masses.forEach((p, i) => kernel[i].forEach((k, j) => next[j] += p * k));
    masses = next;
  }
  return masses.reduce((sum, p, i) => sum + p * xs[i] ** 2, 0);
}
