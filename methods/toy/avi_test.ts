import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { openDevice } from "../../harness/engine/device.ts";
import { runChains } from "../../harness/toy/run_chains.ts";
import { samplesOf } from "../../harness/toy/score_run.ts";
import { momentsOf } from "../../harness/statistics/gaussian_error.ts";
import type { Sampler, Target } from "../../harness/core/toy_types.ts";
import type { Matrix } from "../../harness/core/types.ts";
import { aviDiagonal, aviFull } from "./avi.ts";

const { means, covariance } = bivariateGaussian.answer;
const [[a, b], [, d]] = covariance;
/** On a Gaussian of precision P the best full fit is exact, the best diagonal one has the variances 1 / P_ii. */
const BEST: readonly (readonly [Sampler, Matrix])[] = [
  [aviDiagonal, [[a - b * b / d, 0], [0, d - b * b / a]]],
  [aviFull, covariance],
];

for (const [sampler, best] of BEST) {
  Deno.test(`${sampler.name} finds the best Gaussian of its family, and draws from it`, async () => {
    await using device = await openDevice("cpu", { threads: 1 });
    const { draws, state } = await runChains(sampler, {
      target: bivariateGaussian,
      device,
      seed: 0,
    });
    const fits = sampler.fits?.(state) ?? [];
    assert.equal(fits.length, 3);
    samplesOf(draws, false).forEach((sample, point) => {
      const { mean, covariance } = fits[point];
      const drawn = momentsOf(sample);
      // 32 x 100 independent draws: means err by sd / sqrt(3,200) = 1.8 % of an sd, variances by sqrt(2 / 3,200) = 2.5 %.
      for (const i of [0, 1]) {
        const std = Math.sqrt(best[i][i]);
        // Adam's last steps leave some 1e-3 nats: 1 / 2 (shift / sd)^2 of it, or (log variance ratio)^2 / 4: up to 0.07.
        assert.ok(Math.abs(mean[i] - means[point][i]) < 0.07 * std, `mean ${mean}`);
        assert.ok(Math.abs(drawn.mean[i] - mean[i]) < 4.5 * 0.018 * std);
        for (const j of [0, 1]) {
          const scale = Math.sqrt(best[i][i] * best[j][j]);
          assert.ok(Math.abs(covariance[i][j] - best[i][j]) < 0.07 * scale, `${covariance}`);
          assert.ok(Math.abs(drawn.covariance[i][j] - covariance[i][j]) < 4.5 * 0.025 * scale);
        }
      }
    });
  });
}

/** A density of modes at (-3, 0), of this weight, and (3, 0), of standard deviation 1/2. */
function twoModes(leftWeight: number): Target {
  return {
    ...bivariateGaussian,
    name: "two_modes",
    points: 1,
    logDensity: (z) => {
      const [x, y] = [0, 1].map((k) => tf.slice(z, [0, 0, k], [-1, -1, 1]));
      const modes = ([[-3, leftWeight], [3, 1 - leftWeight]] as const).map(([centre, weight]) => {
        const squares = tf.add(tf.square(tf.sub(x, centre)), tf.square(y));
        return tf.add(tf.mul(squares, -2), Math.log(weight));
      });
      return tf.logSumExp(tf.concat(modes, 2), 2) as tf.Tensor2D;
    },
  };
}

for (const sampler of [aviDiagonal, aviFull]) {
  Deno.test(`${sampler.name} takes the better of two optima, wherever it lies`, async () => {
    await using device = await openDevice("cpu", { threads: 1 });
    for (const leftWeight of [0.2, 0.8]) {
      const target = twoModes(leftWeight);
      const { draws, state } = await runChains(sampler, { target, device, seed: 0 });
      const [{ mean, covariance }] = sampler.fits?.(state) ?? [];
      const heavy = leftWeight > 0.5 ? -3 : 3;
      // As above: 0.07 sd, and 0.07 of a variance.
      assert.ok(Math.hypot(mean[0] - heavy, mean[1]) < 0.07 * 0.5, `mean ${mean}`);
      assert.ok(Math.abs(covariance[0][0] - 0.25) < 0.07 * 0.25, `${covariance}`);
      const drawn = momentsOf(samplesOf(draws, false)[0]).mean[0];
      assert.ok(Math.abs(drawn - mean[0]) < 4.5 * 0.018 * 0.5, `drawn about ${drawn}`);
    }
  });
}
