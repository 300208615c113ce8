import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { Matrix } from "../../harness/core/types.ts";
import { createNoise, foldIn, keyOf } from "../../harness/core/noise.ts";
import { fourierFeatures, networkFeatures, whitenedFeatures } from "./features.ts";

const encoder = { depth: 2, width: 64, activation: "relu" } as const;
const inputs = [[1, 0.5], [-0.5, 2], [0.3, -1], [2, 2]];
await tf.setBackend("cpu");
/** The same numbers each time. */
const stream = () => createNoise(foldIn(keyOf(0), "features"), tf.scalar(0, "int32"));

function gram(a: Matrix): number[][] {
  return a.map((u) => a.map((v) => u.reduce((sum, value, k) => sum + value * v[k], 0)));
}

function transpose(a: Matrix): number[][] {
  return a[0].map((_, j) => a.map((row) => row[j]));
}

function isIdentity(a: Matrix): boolean {
  return a.every((row, i) => row.every((v, j) => Math.abs(v - Number(i === j)) < 1e-12));
}

Deno.test("whitenedFeatures() make K = G G' the identity with as many features as points or more", () => {
  for (const featureDim of [4, 5, 64]) {
    const features = whitenedFeatures({ inputs, encoder, featureDim, noise: stream() });
    assert.deepEqual([features.length, features[0].length], [4, featureDim]);
    assert.ok(isIdentity(gram(features)));
  }
});

Deno.test("whitenedFeatures() with fewer features make K a projection on what they span", () => {
  for (const featureDim of [1, 3]) {
    const features = whitenedFeatures({ inputs, encoder, featureDim, noise: stream() });
    assert.deepEqual([features.length, features[0].length], [4, featureDim]);
    assert.ok(isIdentity(gram(transpose(features))));
    // The network itself is in the span: K h = h.
    const own = stream().split("attempt", 0);
    const [h] = transpose(networkFeatures({ inputs, encoder, featureDim, noise: own }, "he"));
    const k = gram(features);
    k.forEach((row, i) => {
      const projected = row.reduce((sum, v, j) => sum + v * h[j], 0);
      assert.ok(Math.abs(projected - h[i]) < 1e-9 * Math.hypot(...h));
    });
  }
});

Deno.test("whitenedFeatures() says which rank the features have when it is too low", () => {
  const same = [[1, 2], [1, 2], [0, 1]];
  assert.throws(
    () => whitenedFeatures({ inputs: same, encoder, featureDim: 8, noise: stream() }),
    /Features of 3 points have rank 2, not 3.*fourierScale/,
  );
});

Deno.test("networkFeatures() keep the scale under He weights, and shrink it under PyTorch's", () => {
  // One ReLU layer of many units. He: mean square of a unit is |x|^2 / fan in. PyTorch: weights and bias uniform of variance
  // 1 / (3 fan in), so half of (|x|^2 + 1) / (3 fan in). Of 20,000 units, E h^4 = 3/2 s^4 or less: within 1 %, taken 4 times.
  const wide = { depth: 1, width: 20_000, activation: "relu" } as const;
  const options = { inputs, encoder: wide, featureDim: 20_000 };
  for (
    const [init, expected] of [
      ["he", (square: number) => square / 2],
      ["pytorch", (square: number) => (square + 1) / 12],
    ] as const
  ) {
    networkFeatures({ ...options, noise: stream() }, init).forEach((row, i) => {
      const square = inputs[i].reduce((sum, v) => sum + v * v, 0);
      const mean = row.reduce((sum, v) => sum + v * v, 0) / row.length;
      assert.ok(Math.abs(mean / expected(square) - 1) < 0.06, `${init}: ${mean}`);
      assert.ok(row.every((v) => v >= 0));
    });
  }
});

Deno.test("fourierFeatures() have the Gaussian kernel", () => {
  const features = fourierFeatures({ inputs, encoder, featureDim: 20_000, noise: stream() }, 1.5);
  gram(features).forEach((row, i) =>
    row.forEach((k, j) => {
      const square = inputs[i].reduce((sum, v, n) => sum + (v - inputs[j][n]) ** 2, 0);
      // Products of cosines vary by at most 1 about their mean: 4.5 / sqrt(20,000).
      assert.ok(Math.abs(k - Math.exp(-square / (2 * 1.5 ** 2))) < 0.032, `${k}`);
    })
  );
});
