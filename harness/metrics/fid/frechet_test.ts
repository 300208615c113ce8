import assert from "node:assert/strict";
import golden from "../../../fixtures/fid/gaussians.json" with { type: "json" };
import { keyOf, words } from "../../core/noise.ts";
import { frechetDistance } from "./frechet.ts";
import { featureStatistics, type Statistics } from "./feature_statistics.ts";

/** Makes statistics of anisotropic features [count, dim] with mean `shift`. */
function gaussian(
  seed: number,
  { count, dim, shift = 0 }: { count: number; dim: number; shift?: number },
): Statistics {
  const bits = words(keyOf(seed), 0, count * dim);
  const features = Float64Array.from(bits, (w, i) => (w / 2 ** 32 - 0.5) / (1 + i % dim) + shift);
  return featureStatistics(features, dim);
}

function diagonal(mean: number, variances: readonly number[]): Statistics {
  const d = variances.length;
  const covariance = new Float64Array(d * d);
  variances.forEach((v, i) => covariance[i * d + i] = v);
  return { count: null, mean: new Float64Array(d).fill(mean), covariance };
}

for (const { name, dim, x, y, exact, scipy } of golden.cases) {
  const a = featureStatistics(Float32Array.from(x), dim);
  const b = featureStatistics(Float32Array.from(y), dim);

  Deno.test(`frechetDistance() agrees with 60-digit arithmetic: ${name}`, () => {
    // Float64 rounding over about d^3 = 4096 operations, whose errors add like a random walk: 64 eps.
    const tolerance = 64 * Number.EPSILON * exact;
    assert.ok(Math.abs(frechetDistance(a, b) - exact) <= tolerance);
    assert.ok(Math.abs(frechetDistance(b, a) - exact) <= tolerance);
  });

  Deno.test(`frechetDistance() agrees with scipy's sqrtm: ${name}`, () => {
    // scipy has an error of 2e-8 if a covariance is singular.
    assert.ok(Math.abs(frechetDistance(a, b) / scipy - 1) <= 1e-6);
  });

  Deno.test(`frechetDistance() works without counts: ${name}`, () => {
    // With unknown rank, rounding errors of 4 eps in the variances enter by their square root, 3e-8 each.
    const unknown = frechetDistance({ ...a, count: null }, { ...b, count: null });
    assert.ok(Math.abs(unknown / exact - 1) <= 1e-7);
  });
}

Deno.test("frechetDistance() of unit Gaussians at means 0 and 1 is d", () => {
  // pytorch-fid, tests/test_fid_score.py, has d = 2048; fid_pins_test.ts tests that size.
  const ones = Array<number>(128).fill(1);
  assert.equal(frechetDistance(diagonal(0, ones), diagonal(1, ones)), 128);
});

Deno.test("frechetDistance() of diagonal Gaussians is the sum over (sigma1 - sigma2)^2", () => {
  const a = diagonal(0, [4, 1, 0.25, 9, 0]);
  const b = diagonal(0, [1, 16, 0.25, 0, 4]);
  // (2-1)^2 + (1-4)^2 + 0 + 3^2 + 2^2; the subtracted terms are of size 10, so rounding is 1e-14.
  assert.ok(Math.abs(frechetDistance(a, b) - 23) < 1e-13);
});

Deno.test("frechetDistance() of a set to itself is 0", () => {
  for (const count of [12, 200]) {
    const a = gaussian(1, { count, dim: 40 });
    assert.ok(Math.abs(frechetDistance(a, a)) < 1e-13);
  }
});

Deno.test("frechetDistance() is symmetric", () => {
  const a = gaussian(2, { count: 90, dim: 40 }),
    b = gaussian(3, { count: 25, dim: 40, shift: 0.1 });
  assert.ok(Math.abs(frechetDistance(a, b) - frechetDistance(b, a)) < 1e-13);
});

Deno.test("frechetDistance() is invariant under reflection of both Gaussians", () => {
  const dim = 30;
  const a = gaussian(4, { count: 70, dim }), b = gaussian(5, { count: 80, dim, shift: 0.2 });
  const before = frechetDistance(a, b);
  assert.ok(before > 0.1); // large enough for the tolerance to be meaningful
  assert.ok(Math.abs(frechetDistance(reflected(a), reflected(b)) - before) < 1e-13);
});

Deno.test("frechetDistance() grows by |shift|^2 if one mean is shifted", () => {
  const a = gaussian(6, { count: 50, dim: 10 });
  const moved = { ...a, mean: a.mean.map((m) => m + 3) };
  assert.ok(Math.abs(frechetDistance(a, moved) - 90) < 1e-12);
});

Deno.test("frechetDistance() scales with the square of the features", () => {
  const a = gaussian(7, { count: 60, dim: 20 }),
    b = gaussian(8, { count: 60, dim: 20, shift: 0.3 });
  const scaled = (s: Statistics): Statistics => ({
    ...s,
    mean: s.mean.map((m) => 1e3 * m),
    covariance: s.covariance.map((c) => 1e6 * c),
  });
  const ratio = frechetDistance(scaled(a), scaled(b)) / frechetDistance(a, b);
  assert.ok(Math.abs(ratio - 1e6) < 1e-6);
});

Deno.test("frechetDistance() refuses unequal dimensions, non-finite entries and matrices that are not covariances", () => {
  const a = gaussian(9, { count: 50, dim: 10 });
  assert.throws(() => frechetDistance(a, gaussian(9, { count: 50, dim: 11 })), RangeError);
  const withNaN = { ...a, covariance: a.covariance.with(3, NaN) };
  assert.throws(() => frechetDistance(a, withNaN), /not finite/);
  const notCovariance = diagonal(0, [1, 1, -0.5]);
  assert.throws(() => frechetDistance(notCovariance, diagonal(0, [1, 1, 1])), /not a covariance/);
  const indefinite = {
    count: null,
    mean: new Float64Array(2),
    covariance: Float64Array.of(1, 2, 2, 1),
  };
  assert.throws(
    () => frechetDistance(diagonal(0, [1, 1]), indefinite),
    /not positive semidefinite/,
  );
});

/** The Gaussian of H x for the Householder reflection H that swaps the first axis and (1, ..., 1). */
function reflected({ count, mean, covariance }: Statistics): Statistics {
  const d = mean.length;
  const v = new Float64Array(d).fill(1);
  v[0] += Math.sqrt(d);
  const norm = v.reduce((sum, x) => sum + x * x, 0);
  const reflect = (x: Float64Array): Float64Array => {
    const along = 2 * x.reduce((sum, xi, i) => sum + xi * v[i], 0) / norm;
    return x.map((xi, i) => xi - along * v[i]);
  };
  const rows = (m: Float64Array) =>
    Array.from({ length: d }, (_, i) => m.slice(i * d, (i + 1) * d));
  const half = rows(covariance).map(reflect); // C H
  const columns = Array.from({ length: d }, (_, j) => Float64Array.from(half, (row) => row[j]));
  const whole = new Float64Array(d * d); // H C H, symmetric
  columns.map(reflect).forEach((row, i) => whole.set(row, i * d));
  return { count, mean: reflect(mean), covariance: whole };
}
