import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { repeat } from "../../harness/core/repeat.ts";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import type { State } from "../../harness/core/types.ts";
import { drawsLike, initPsgld, psgld, psgldEntries, type PsgldMove } from "./psgld.ts";

const ALPHA = 0.99;
const noise = createNoise(keyOf(0), tf.scalar(0, "int32"));

/** `steps` moves of `w` for the mean loss whose gradient is given. */
function chain(
  gradient: (w: tf.Tensor) => tf.Tensor,
  { w, steps, name, ...move }:
    & { w: tf.Tensor; steps: number; name: string }
    & Pick<PsgldMove, "stepSize" | "count" | "damping">,
): tf.Tensor {
  const state: State = { w, ...initPsgld({ w }, ["w"]) };
  const xi = drawsLike(state, { names: ["w"], noise: noise.split(name), leading: [steps] });
  const end = repeat(
    steps,
    state,
    (carried, { index, ...xi }) =>
      psgld(carried, {
        ...move,
        alpha: ALPHA,
        gradients: { w: gradient(carried.w) },
        xi,
        moves: index as tf.Scalar,
      }),
    { index: tf.range(0, steps), ...xi } as State,
  );
  return end.w;
}

function varianceOf(values: Float32Array): number {
  return values.reduce((sum, v) => sum + v * v, 0) / values.length;
}

Deno.test("psgld() is the update of Li et al. with a corrected V", async () => {
  await tf.setBackend("cpu");
  const [stepSize, count, damping] = [0.01, 50, 1e-3];
  let [w, v] = [0.7, 0];
  let state: State = { w: tf.scalar(w) };
  state = { ...state, ...initPsgld(state, ["w"]) };
  for (let t = 0; t < 5; t++) {
    const [g, xi] = [Math.cos(t), Math.sin(3 * t)];
    state = psgld(state, {
      gradients: { w: tf.scalar(g) },
      xi: { w: tf.scalar(xi) },
      stepSize,
      count,
      alpha: ALPHA,
      damping,
      moves: tf.scalar(t),
    });
    v = 0.99 * v + 0.01 * g * g;
    const preconditioner = 1 / (damping + Math.sqrt(v / (1 - 0.99 ** (t + 1))));
    // eta = stepSize / n; drift eta G n g, noise of variance 2 eta G.
    w += -stepSize * preconditioner * g + Math.sqrt(2 * stepSize / count * preconditioner) * xi;
    assert.ok(Math.abs(state.w.dataSync()[0] - w) < 2e-6);
  }
  assert.deepEqual(psgldEntries(["w"]), Object.keys(state));
});

Deno.test("psgld() with a constant preconditioner is amortized Langevin: variances are leverages", async () => {
  await tf.setBackend("cpu");
  // Four rows of two features with orthonormal columns: G G' is a projection H, so z = G Phi is a chain of mobility 1 within
  // its range and nothing outside. U(z) = P z^2 / 2 for each row: the variance of z_i is h_ii / P / (1 - eta P / 2).
  const r = Math.SQRT1_2;
  const rows = [[1, 0], [0, 0.6], [0, 0.8 * r], [0, 0.8 * r]];
  const leverages = rows.map(([a, b]) => a * a + b * b); // 1, 0.36, 0.32, 0.32: their sum is the rank
  const [precision, eta, count, columns] = [2, 0.2, rows.length, 10_000];
  const features = tf.tensor2d(rows);
  const damping = 1e6; // G = 1e-6 to 6 digits
  const phi = tf.tidy(() =>
    chain(
      // Mean over rows of U.
      (phi) => {
        const z = tf.matMul(features, phi as tf.Tensor2D);
        return tf.mul(tf.matMul(features, z, true), precision / count);
      },
      {
        w: tf.zeros([2, columns]),
        steps: 40, // (1 - 0.4)^40 = 1e-9
        name: "leverage",
        stepSize: eta * count * damping,
        count,
        damping,
      },
    )
  );
  const z = tf.matMul(features, phi as tf.Tensor2D).arraySync() as number[][];
  leverages.forEach((leverage, i) => {
    const theory = leverage / precision / (1 - eta * precision / 2);
    // A variance of 10,000 independent columns: sqrt(2 / 10,000) = 1.4 %, four times.
    assert.ok(Math.abs(varianceOf(Float32Array.from(z[i])) / theory - 1) < 0.057);
  });
});

Deno.test("psgld() samples at the temperature of n terms, whatever the scale of the coordinates", async () => {
  await tf.setBackend("cpu");
  // Precision P of n l(w). At rest sqrt(V) is about sqrt(P) / n, so the drift is c sqrt(P) w and the noise 2 c / sqrt(P):
  // variance (1 / P) / (1 - c sqrt(P) / 2).
  const [count, stepSize, size] = [1000, 0.05, 3000];
  for (const precision of [1, 9, 36]) {
    const w = tf.tidy(() =>
      chain((w) => tf.mul(w, precision / count), {
        w: tf.mul(noise.split("start", precision).normal([size]), 1 / Math.sqrt(precision)),
        steps: 400,
        name: `temperature ${precision}`,
        stepSize,
        count,
        damping: 1e-9,
      })
    );
    const variance = varianceOf(w.dataSync<"float32">());
    const theory = 1 / precision / (1 - stepSize * Math.sqrt(precision) / 2);
    // sqrt(V) fluctuates: V averages 100 steps of a coordinate that forgets itself in 1 / (c sqrt(P)), 20 at the slowest, so by
    // about sqrt(2 x 2 x 20 / 200) / 2 = 30 %, and the dropped Gamma leaves a bias of that squared, 10 %. Sampling:
    // sqrt(2 / 3000) = 2.6 %, two times. A wrong power of n would be off by a factor of 1000.
    assert.ok(Math.abs(variance / theory - 1) < 0.15, `precision ${precision}: ${variance}`);
  }
});
