import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { potentialOf } from "./integrator.ts";
import { LONG_MEMORY, psgald, psgld, rmsPreconditioned } from "./psgld.ts";

Deno.test("rmsPreconditioned follows algorithm 1 of Li et al., written out", async () => {
  await tf.setBackend("cpu");
  const [stepSize, alpha, lambda] = [0.05, 0.9998, 1e-3];
  const rule = rmsPreconditioned(LONG_MEMORY);
  const curvature = [4, 0.25];
  const potential = potentialOf((x) =>
    tf.mul(tf.sum(tf.mul(tf.square(x), tf.tensor1d(curvature)), 2), 0.5) as tf.Tensor2D
  );
  const start = tf.tensor3d([[[1.5, -2]]]);
  let state = { x: start as tf.Tensor, ...rule.init?.(start, potential) };
  const xi = [[0.3, -1.2], [0.7, 0.1], [-0.4, 0.9]];
  let x = [1.5, -2];
  let v = [0, 0];
  xi.forEach((noise, t) => {
    state = {
      ...state,
      ...rule.step(state, {
        potential,
        draws: { xi: tf.tensor3d([[noise]]) },
        stepSize,
        moves: tf.scalar(t),
        points: 1,
      }),
    };
    const gradient = x.map((value, i) => curvature[i] * value);
    v = v.map((value, i) => alpha * value + (1 - alpha) * gradient[i] ** 2);
    const g = v.map((value) => 1 / (lambda + Math.sqrt(value / (1 - alpha ** (t + 1)))));
    x = x.map((value, i) =>
      value - stepSize * g[i] * gradient[i] + Math.sqrt(2 * stepSize * g[i]) * noise[i]
    );
    // 1 - alpha^t loses three of float32's seven digits at first.
    state.x.dataSync().forEach((value, i) =>
      assert.ok(Math.abs(value - x[i]) < 2e-3, `step ${t}: ${value}, ${x[i]}`)
    );
  });
});

Deno.test("preconditioned samplers take about the target's step size, and settle before they are heard", () => {
  const { stepSize, gradientScale, length } = bivariateGaussian;
  const settings = psgld.settings?.(bivariateGaussian);
  // eta G = eta' / rms of the gradient.
  assert.ok(Math.abs((settings?.stepSize ?? 0) / gradientScale - stepSize) < 1e-12);
  for (const sampler of [psgld, psgald]) {
    const { burnIn = 0, steps = 0 } = sampler.settings?.(bivariateGaussian) ?? {};
    assert.equal(burnIn, length.burnIn + 2000);
    assert.ok(steps - burnIn >= length.steps - length.burnIn);
  }
});
