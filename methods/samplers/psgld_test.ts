import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { repeat } from "../../harness/core/repeat.ts";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import { flatten, unflatten } from "../../harness/core/tree.ts";
import { drawsLike, initPsgld, preparePsgld, psgld, type PsgldMove } from "./psgld.ts";

const noise = createNoise(keyOf(0), tf.scalar(0, "int32"));

/** Parameters of one tensor, and a state of pSGLD. */
type Params = { readonly w: tf.Tensor2D };
type Carried = { readonly params: Params; readonly v: Params };

/** `steps` moves of `w` for the mean loss whose gradient is given. */
function chain(
  gradient: (w: tf.Tensor2D) => tf.Tensor2D,
  { w, steps, name, ...move }:
    & { w: tf.Tensor2D; steps: number; name: string }
    & Pick<PsgldMove<Params>, "stepSize" | "count" | "alpha" | "damping">,
): tf.Tensor2D {
  const start: Carried = { params: { w }, v: initPsgld({ w }) };
  const draws = drawsLike(start.params, { noise: noise.split(name), leading: [steps] });
  const end = repeat(
    steps,
    flatten(start),
    (flat, { index, ...xi }) => {
      const carried = unflatten(flat) as Carried;
      const { params, v } = psgld(carried, {
        ...move,
        gradients: { w: gradient(carried.params.w) },
        xi: xi as Params,
        moves: tf.reshape(index, []),
      });
      return flatten({ params, v });
    },
    { index: tf.range(0, steps), ...draws },
  );
  return (unflatten(end) as Carried).params.w;
}

function varianceOf(values: Float32Array): number {
  return values.reduce((sum, v) => sum + v * v, 0) / values.length;
}

Deno.test("psgld() is the update of Li et al. with a corrected V", async () => {
  await tf.setBackend("cpu");
  const [stepSize, count, damping] = [0.01, 50, 1e-3];
  let [w, v] = [0.7, 0];
  const params = { w: tf.scalar(w) };
  let state = { params, v: initPsgld(params) };
  for (let t = 0; t < 5; t++) {
    const [g, xi] = [Math.cos(t), Math.sin(3 * t)];
    state = psgld(state, {
      gradients: { w: tf.scalar(g) },
      xi: { w: tf.scalar(xi) },
      stepSize,
      count,
      alpha: 0.99,
      damping,
      moves: tf.scalar(t),
    });
    v = 0.99 * v + 0.01 * g * g;
    const preconditioner = 1 / (damping + Math.sqrt(v / (1 - 0.99 ** (t + 1))));
    // eta = stepSize / n; drift eta G n g, noise of variance 2 eta G.
    w += -stepSize * preconditioner * g + Math.sqrt(2 * stepSize / count * preconditioner) * xi;
    assert.ok(Math.abs(state.params.w.dataSync()[0] - w) < 2e-6);
    assert.ok(Math.abs(state.v.w.dataSync()[0] - v) < 2e-6);
  }
});

Deno.test("psgld() with a constant preconditioner is amortized Langevin: variances are leverages", async () => {
  await tf.setBackend("cpu");
  // Four rows of two features with orthonormal columns: G G' is a projection H, so z = G Phi is a chain of unit steps within
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
        const z = tf.matMul(features, phi);
        return tf.mul(tf.matMul(features, z, true), precision / count);
      },
      {
        w: tf.zeros([2, columns]),
        steps: 40, // (1 - 0.4)^40 = 1e-9
        name: "leverage",
        stepSize: eta * count * damping,
        count,
        alpha: 0.99,
        damping,
      },
    )
  );
  const z = tf.matMul<tf.Tensor2D>(features, phi).arraySync();
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
        w: tf.mul(noise.split("start", precision).normal([1, size]), 1 / Math.sqrt(precision)),
        steps: 400,
        name: `temperature ${precision}`,
        stepSize,
        count,
        alpha: 0.99,
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

Deno.test("preparePsgld() is the chain of psgld(): a Langevin step in its coordinates moves weights alike", async () => {
  await tf.setBackend("cpu");
  // Losses linear in the weights have a constant gradient, and V = g^2 is at rest; moves so many that V needs no correction.
  const params = { a: tf.tensor2d([[0.3, -1.2]]), b: tf.tensor1d([2]) };
  const slopes = { a: tf.tensor2d([[0.02, 3]]), b: tf.tensor1d([-0.4]) };
  const v = { a: tf.square(slopes.a), b: tf.square(slopes.b) };
  const shared = { stepSize: 0.05, count: 30, alpha: 0.99, damping: 0.1, moves: tf.scalar(1e5) };
  const xi = drawsLike(params, { noise: noise.split("coordinates") });
  const moved = psgld({ params, v }, { ...shared, gradients: slopes, xi }).params;

  const seen: (typeof params)[] = [];
  const { start, stepSize, energy } = preparePsgld({ params, v }, {
    ...shared,
    losses: (at) => {
      seen.push({ a: tf.keep(at.a), b: tf.keep(at.b) });
      const loss = tf.add(tf.sum(tf.mul(at.a, slopes.a)), tf.sum(tf.mul(at.b, slopes.b)));
      return tf.mul(tf.tensor1d([0.5, 1.5]), loss); // two terms, whose mean is the loss
    },
  });
  assert.deepEqual(start.shape, [1, 3]);
  assert.deepEqual(energy(start).shape, [1, 2]);
  const gradient = tf.grad((y) => tf.sum(energy(y as tf.Tensor2D)))(start);
  const draws = tf.concat([tf.reshape(xi.a, [1, 2]), tf.reshape(xi.b, [1, 1])], 1);
  const eta = tf.mul(tf.scalar(1), stepSize);
  const y: tf.Tensor2D = tf.add(
    tf.sub(start, tf.mul(gradient, eta)),
    tf.mul(draws, tf.sqrt(tf.mul(eta, 2))),
  );
  energy(y);
  const end = seen[seen.length - 1];
  for (const name of ["a", "b"] as const) {
    const [expected, found] = [moved[name].dataSync(), end[name].dataSync()];
    expected.forEach((w, i) =>
      assert.ok(Math.abs(w - found[i]) < 1e-5, `${name}: ${w}, ${found[i]}`)
    );
  }
});
