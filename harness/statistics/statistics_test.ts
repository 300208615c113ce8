/** Tests every statistic on exact draws and against known values. */
import assert from "node:assert/strict";
import { fillNoise, foldIn, keyOf } from "../core/noise.ts";
import { diagnose } from "./effective_sample_size.ts";
import { gaussianError, momentsOf } from "./gaussian_error.ts";
import { histogram2d, totalVariation } from "./histogram.ts";
import { squaredMmd, squaredMmdToNormal } from "./mmd.ts";
import { type Sample, thinned } from "./sample.ts";
import { slicedWasserstein } from "./sliced_wasserstein.ts";

function normals(name: string, count: number, dim = 2, scale = 1): Sample {
  const data = new Float32Array(count * dim);
  fillNoise(data, {
    key: foldIn(keyOf(0), name),
    counters: Int32Array.of(0),
    width: count * dim,
    kind: "normal",
  });
  return { count, dim, data: data.map((v) => v * scale) };
}

/** AR(1) chains x' = rho x + sqrt(1 - rho^2) xi, started from N(0, 1), their stationary distribution: ESS N (1 - rho) / (1 + rho). */
function autoregressive(rho: number, chains: number, length: number): Float64Array[] {
  return Array.from({ length: chains }, (_, c) => {
    const { data } = normals(`ar/${c}`, length, 1);
    const out = Float64Array.from(data);
    for (let t = 1; t < length; t++) out[t] = rho * out[t - 1] + Math.sqrt(1 - rho * rho) * data[t];
    return out;
  });
}

for (const rho of [0, 0.5, 0.9]) {
  Deno.test(`diagnose() estimates the effective size of AR(1) chains, rho = ${rho}`, () => {
    const chains = autoregressive(rho, 8, 4000);
    const { effectiveSize, rHat } = diagnose(chains);
    const theory = 32_000 * (1 - rho) / (1 + rho);
    // The standard error is about sqrt(2 (2 M + 1) / N) with windows of M ~ 5 tau: 5 % at rho = 0.9. Allow three.
    assert.ok(Math.abs(effectiveSize / theory - 1) < 0.15, `${effectiveSize}, theory ${theory}`);
    // R-hat^2 - 1 is the variance of half-chain means, 1 / (ESS / 16): 0.01 at rho = 0.9.
    assert.ok(rHat < 1.02 && rHat > 0.999, `${rHat}`);
  });
}

Deno.test("diagnose() detects chains that disagree", () => {
  const chains = autoregressive(0.5, 4, 1000);
  chains[0].forEach((_, t) => chains[0][t] += 3);
  const { effectiveSize, rHat } = diagnose(chains);
  // Means 3, 0, 0, 0 in pairs of halves: between = 9 x (1/4 - 1/16) x 8/7 = 1.93, R-hat = sqrt(2.93) = 1.71 +- 0.05.
  assert.ok(Math.abs(rHat - 1.71) < 0.1, `${rHat}`);
  assert.ok(effectiveSize < 40, `${effectiveSize}`);
});

Deno.test("diagnose() detects a drift within chains by comparing their halves", () => {
  const chains = autoregressive(0, 4, 1000).map((x) => x.map((v, t) => v + t / 300));
  assert.ok(diagnose(chains).rHat > 1.2);
});

Deno.test("diagnose() gives antithetic chains an effective size above their length", () => {
  assert.ok(diagnose(autoregressive(-0.5, 4, 2000)).effectiveSize > 1.5 * 8000);
});

Deno.test("diagnose() refuses short chains, and gives an infinite R-hat to constant ones that disagree", () => {
  assert.throws(() => diagnose([new Float64Array(6)]), /at least 8 draws, got 6/);
  const still = [new Float64Array(20).fill(1), new Float64Array(20).fill(2)];
  assert.equal(diagnose(still).rHat, Infinity);
});

const STANDARD = { mean: [0, 0], covariance: [[1, 0], [0, 1]] };

Deno.test("gaussianError() of exact draws equals the sampling error", () => {
  // methods 2.1, medians and 95 % of 2,000 exact draws: 0.026 / 0.058, 0.049 / 0.090, 0.0011 / 0.0031. Means of 40 sets.
  const errors = Array.from(
    { length: 40 },
    (_, r) => gaussianError(momentsOf(normals(`exact/${r}`, 2000)), STANDARD),
  );
  const mean = (f: (e: typeof errors[number]) => number) =>
    errors.reduce((sum, e) => sum + f(e), 0) / errors.length;
  // Rayleigh of scale 1 / sqrt(N): sqrt(pi / 2 / N) = 0.0280, its standard error over 40 sets 0.0023.
  assert.ok(Math.abs(mean((e) => e.mean) - 0.028) < 4 * 0.0023);
  // KL is chi-square with 5 degrees over 2 N: 5 / 4000, standard error sqrt(10) / 4000 / sqrt(40) = 1.25e-4.
  assert.ok(Math.abs(mean((e) => e.kl) - 0.00125) < 4 * 1.25e-4);
  // E ||C - I||^2 = (2 + 2 + 1 + 1) / N = 0.003; a sum of squares like chi-square with 3 degrees: 0.0024 / sqrt(40).
  assert.ok(Math.abs(mean((e) => e.covariance ** 2) - 0.003) < 4 * 3.9e-4);
});

Deno.test("gaussianError() matches known answers and whitens", () => {
  const truth = { mean: [1, -1], covariance: [[2, 1], [1, 3]] };
  assert.deepEqual(Object.values(gaussianError(truth, truth)).map((v) => Math.abs(v) < 1e-12), [
    true,
    true,
    true,
  ]);
  // Twice the covariance: whitened 2 I, norm sqrt(2), KL = (4 - 2 - 2 log 2) / 2.
  const wide = { mean: [1, -1], covariance: [[4, 2], [2, 6]] };
  const error = gaussianError(wide, truth);
  assert.ok(Math.abs(error.covariance - Math.SQRT2) < 1e-12);
  assert.ok(Math.abs(error.kl - (1 - Math.log(2))) < 1e-12);
  // (1, 0)' S^-1 (1, 0) = 3 / 5.
  const moved = gaussianError({ ...truth, mean: [2, -1] }, truth);
  assert.ok(Math.abs(moved.mean - Math.sqrt(0.6)) < 1e-12);
  assert.equal(gaussianError({ ...truth, covariance: [[0, 0], [0, 0]] }, truth).kl, Infinity);
});

Deno.test("slicedWasserstein() of translates is the root mean square of the projected shift", () => {
  const x = normals("sw", 500);
  const moved = { ...x, data: x.data.map((v, i) => v + (i % 2 === 0 ? 3 : 0)) };
  // E cos^2 = 1/2 over directions.
  assert.ok(Math.abs(slicedWasserstein(x, moved) - 3 / Math.SQRT2) < 1e-5);
});

Deno.test("slicedWasserstein() of scaled normals in one dimension is the difference of the scales", () => {
  const [a, b] = [normals("one", 20_000, 1), normals("two", 20_000, 1, 1.5)];
  // W2 of N(0, 1) and N(0, 2.25) is 0.5; the quantiles of 20,000 draws have errors of about 0.01.
  assert.ok(Math.abs(slicedWasserstein(a, b) - 0.5) < 0.03);
  // methods 2.1: two exact sets of 2,000, 0.033 / 0.042.
  const own = slicedWasserstein(normals("p", 2000), normals("q", 2000));
  assert.ok(own > 0.01 && own < 0.06, `${own}`);
});

Deno.test("slicedWasserstein() of translates in five dimensions is the shift over sqrt(5)", () => {
  const x = normals("sw5", 300, 5);
  const moved = { ...x, data: x.data.map((v, i) => v + [3, 0, -4, 0, 0][i % 5]) };
  // E cos^2 = 1/5, with a standard deviation of sqrt(2 x 4 / (25 x 7)) = 0.21, over 100 directions 0.021: 5 % of the root.
  const distance = slicedWasserstein(x, moved);
  assert.ok(Math.abs(distance / (5 / Math.sqrt(5)) - 1) < 4.5 * 0.053, `${distance}`);
  assert.equal(slicedWasserstein(x, x), 0);
});

Deno.test("squaredMmd() is unbiased for equal distributions and matches the value of shifted Gaussians", () => {
  const zero = Array.from(
    { length: 30 },
    (_, r) => squaredMmd(normals(`x/${r}`, 200), normals(`y/${r}`, 200), 1),
  );
  const mean = zero.reduce((a, b) => a + b) / 30;
  const std = Math.sqrt(zero.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 29);
  assert.ok(Math.abs(mean) < 4 * std / Math.sqrt(30), `${mean} +- ${std / Math.sqrt(30)}`);
  assert.ok(zero.some((v) => v < 0));
  // E k(x, y) = exp(-|m|^2 / 6) / 3 for N(0, I), N(m, I) in two dimensions with h = 1: 2 (1 - exp(-4 / 6)) / 3 for |m| = 2.
  const x = normals("a", 2000);
  const shifted = normals("b", 2000);
  const y = { ...shifted, data: shifted.data.map((v, i) => v + (i % 2 === 0 ? 2 : 0)) };
  assert.ok(Math.abs(squaredMmd(x, y, 1) - 2 * (1 - Math.exp(-4 / 6)) / 3) < 0.02);
  // With any h: h^2 / (h^2 + 2) exp(-|m|^2 / (2 h^2 + 4)).
  assert.ok(Math.abs(squaredMmd(x, y, 3) - 2 * (1 - Math.exp(-4 / 22)) * 9 / 11) < 0.02);
});

Deno.test("squaredMmdToNormal() matches the value of shifted and wider Gaussians", () => {
  for (const [dim, bandwidth] of [[1, 0.5], [2, 1], [3, 2]]) {
    const x = normals(`known/${dim}`, 2000, dim);
    const h2 = bandwidth ** 2;
    const pairs = (variance: number, shift = 0) =>
      (h2 / (h2 + variance)) ** (dim / 2) * Math.exp(-(shift ** 2) / (2 * (h2 + variance)));
    const shifted = { ...x, data: x.data.map((v, i) => v + (i % dim === 0 ? 2 : 0)) };
    const wide = { ...x, data: x.data.map((v) => 2 * v) };
    // `pairs` is the kernel mean of Gaussians whose difference has this variance. MMD of 2,000 draws errs by 1 / sqrt(2000).
    const closeTo = (value: number, known: number) =>
      assert.ok(Math.abs(Math.sqrt(value) - Math.sqrt(known)) < 4.5 / Math.sqrt(2000), `${value}`);
    closeTo(squaredMmdToNormal(shifted, bandwidth), 2 * pairs(2) - 2 * pairs(2, 2));
    closeTo(squaredMmdToNormal(wide, bandwidth), pairs(8) + pairs(2) - 2 * pairs(5));
  }
});

Deno.test("totalVariation() of histograms", () => {
  const options = { extent: 1, bins: 2 };
  const corner = { count: 2, dim: 2, data: Float64Array.of(-0.5, -0.5, -0.1, -0.9) };
  const half = { count: 2, dim: 2, data: Float64Array.of(-0.5, -0.5, 0.5, 0.5) };
  const far = { count: 2, dim: 2, data: Float64Array.of(5, 5, -5, 0) };
  const left = { count: 1, dim: 2, data: Float64Array.of(-0.5, 0.5) };
  assert.deepEqual([...histogram2d(left, options)], [0, 1, 0, 0]); // x in the first half, y in the second
  assert.equal(totalVariation(histogram2d(corner, options), histogram2d(corner, options)), 0);
  assert.equal(totalVariation(histogram2d(corner, options), histogram2d(half, options)), 0.5);
  assert.equal(totalVariation(histogram2d(corner, options), histogram2d(far, options)), 1);
});

Deno.test("thinned() is not in phase with interleaved chains", () => {
  // Draws of eight chains in turn: every chain should be represented.
  const data = Float64Array.from({ length: 8000 }, (_, i) => i % 8);
  const { data: kept, count } = thinned({ count: 8000, dim: 1, data }, 80);
  assert.equal(count, 80);
  const perChain = Array.from({ length: 8 }, (_, c) => kept.filter((v) => v === c).length);
  assert.ok(perChain.every((n) => n >= 4), perChain.join());
});

Deno.test("thinned() keeps different draws, whatever the ratio of the counts", () => {
  for (const [from, to] of [[1201, 1200], [2000, 1200], [100_000, 1200], [7, 3]]) {
    const data = Float64Array.from({ length: from }, (_, i) => i);
    const kept = thinned({ count: from, dim: 1, data }, to).data;
    assert.equal(new Set(kept).size, to, `${from} to ${to}`);
    // Evenly spread: of a tenth of the sample a tenth is kept, give or take a few gaps.
    const tenth = kept.filter((i) => i < from / 10).length;
    assert.ok(Math.abs(tenth - to / 10) <= 3, `${from} to ${to}: ${tenth}`);
  }
});
