import assert from "node:assert/strict";
import { keyOf, words } from "../../core/noise.ts";
import {
  addFeatures,
  featureStatistics,
  startMoments,
  statisticsOf,
} from "./feature_statistics.ts";

function uniform(seed: number, count: number): Float32Array {
  return Float32Array.from(words(keyOf(seed), 0, count), (w) => w / 2 ** 32);
}

Deno.test("featureStatistics() of three points, computed by hand", () => {
  const { count, mean, covariance } = featureStatistics(Float32Array.of(0, 1, 2, 5, 4, 0), 2);
  assert.equal(count, 3);
  assert.deepEqual([...mean], [2, 2]);
  // Deviations (-2,-1), (0,3), (2,-2): sums of squares 8, 14, product 2 - 4 = -2; divisor n - 1 = 2.
  assert.deepEqual([...covariance], [4, -1, -1, 7]);
});

Deno.test("featureStatistics() of images 0, 1/2, 1 has mean 1/2 and covariance 1/4 everywhere", () => {
  // pytorch-fid, tests/test_fid_score.py: an identity network on three constant images.
  const d = 2048;
  const features = new Float32Array(3 * d);
  features.fill(0.5, d, 2 * d).fill(1, 2 * d);
  const { mean, covariance } = featureStatistics(features, d);
  assert.ok(mean.every((m) => m === 0.5));
  assert.ok(covariance.every((c) => c === 0.25));
});

Deno.test("featureStatistics() agrees with the two-pass formula", () => {
  const d = 7, n = 1100; // blocks of 1024 and 76
  const x = uniform(1, n * d);
  const { mean, covariance } = featureStatistics(x, d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      let sum = 0;
      for (let r = 0; r < n; r++) sum += (x[r * d + i] - mean[i]) * (x[r * d + j] - mean[j]);
      // Entries up to 0.08; n additions round by eps each: 1100 * 2.2e-16 * 0.08.
      assert.ok(Math.abs(covariance[i * d + j] - sum / (n - 1)) < 2e-14);
    }
  }
});

Deno.test("addFeatures() gives the same statistics however the features are divided", () => {
  const d = 5, n = 90;
  const x = uniform(2, n * d);
  const whole = featureStatistics(x, d);
  const moments = startMoments(d);
  for (const [from, to] of [[0, 1], [1, 40], [40, 40], [40, 90]]) {
    addFeatures(moments, x.subarray(from * d, to * d));
  }
  const cut = statisticsOf(moments);
  assert.equal(cut.count, n);
  cut.mean.forEach((m, i) => assert.ok(Math.abs(m - whole.mean[i]) < 1e-14));
  cut.covariance.forEach((c, i) => assert.ok(Math.abs(c - whole.covariance[i]) < 1e-14));
});

Deno.test("featureStatistics() keeps precision for features far from zero", () => {
  const d = 3, n = 400;
  const near = Float64Array.from(uniform(3, n * d));
  const far = near.map((v) => v + 1e6);
  const a = featureStatistics(near, d).covariance, b = featureStatistics(far, d).covariance;
  // Adding 1e6 rounds each feature by at most 2^-34 = 6e-11; sums of squares about zero would lose
  // 1e12 * eps = 2e-4 instead.
  a.forEach((c, i) => assert.ok(Math.abs(c - b[i]) < 1e-10));
});

Deno.test("addFeatures() refuses non-finite features and names the first", () => {
  const moments = startMoments(2);
  addFeatures(moments, Float32Array.of(1, 2));
  assert.throws(() => addFeatures(moments, Float32Array.of(1, 2, 3, NaN)), {
    name: "RangeError",
    message: "Feature 1 of image 2 is NaN: the images or the network are broken",
  });
});

Deno.test("addFeatures() counts images across blocks", () => {
  const features = new Float32Array(2500).fill(1).with(2100, Infinity); // blocks of 1024
  assert.throws(
    () => addFeatures(startMoments(1), features),
    /Feature 0 of image 2100 is Infinity/,
  );
});

Deno.test("featureStatistics() refuses a single image and partial rows", () => {
  assert.throws(() => featureStatistics(Float32Array.of(1, 2), 2), /at least 2 images, got 1/);
  assert.throws(
    () => featureStatistics(Float32Array.of(1, 2, 3), 2),
    /multiple of 2 features, got 3/,
  );
});
