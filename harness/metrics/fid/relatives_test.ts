import assert from "node:assert/strict";
import golden from "../../../fixtures/fid/relatives.json" with { type: "json" };
import { featureTable } from "./feature_table.ts";
import { extrapolate, fidInfinity } from "./fid_infinity.ts";
import { inceptionScore } from "./inception_score.ts";
import { kernelInceptionDistance } from "./kid.ts";
import { neighbourOverlap } from "./neighbours.ts";
import { featureStatistics } from "./feature_statistics.ts";
import { keyOf, words } from "../../core/noise.ts";

const threads = 1;
const samples = featureTable(Float32Array.from(golden.samples), golden.dim);
const real = featureTable(Float32Array.from(golden.real), golden.dim);
const logits = featureTable(Float32Array.from(golden.logits), golden.classes);
const inOrder = (count: number) => Array.from({ length: count }, (_, i) => i);

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
}

Deno.test("kernelInceptionDistance() of two points each, computed by hand", async () => {
  // d = 1, k(a, b) = (ab + 1)^3; x = {0, 1}, y = {2, 3}: k(0,1) = 1, k(2,3) = 343,
  // cross 1, 1, 27, 64. MMD^2 = (2 * 1 + 2 * 343) / 2 - 2 * 93 / 4 = 297.5.
  const x = featureTable(Float32Array.of(0, 1), 1), y = featureTable(Float32Array.of(2, 3), 1);
  const { mean, std } = await kernelInceptionDistance(x, y, { subsets: 3, seed: 0, threads });
  assert.equal(mean, 297.5);
  assert.equal(std, null); // each subset is the whole set
});

Deno.test("kernelInceptionDistance() agrees with torch-fidelity", async () => {
  const first = featureTable(real.data.subarray(0, samples.data.length), golden.dim);
  const { mean } = await kernelInceptionDistance(samples, first, { subsets: 1, seed: 0, threads });
  // Kernels of magnitude 30 from float32 products with 12 roundings of 2^-24 each, averaged over 40 x 40.
  assertNear(mean, golden.kid, 30 * 12 * 2 ** -24);
});

Deno.test("kernelInceptionDistance() draws its subsets by the seed", async () => {
  const options = { subsets: 5, subsetSize: 20, threads };
  const [a, again, b] = await Promise.all(
    [1, 1, 2].map((seed) => kernelInceptionDistance(samples, real, { ...options, seed })),
  );
  assert.deepEqual(a, again);
  assert.notEqual(a.mean, b.mean);
  assert.ok(a.std !== null && a.std > 0);
});

Deno.test("inceptionScore() agrees with torch-fidelity", () => {
  const { splits, mean, std } = golden.inceptionScore;
  const score = inceptionScore(logits, { order: inOrder(logits.count), splits });
  assertNear(score.mean, mean, 1e-13 * mean); // float64 both
  assertNear(score.std ?? NaN, std, 1e-12 * mean);
});

Deno.test("inceptionScore() of confident and of uniform classifiers", () => {
  const certain = featureTable(Float32Array.of(900, 0, 0, 0, 900, 0, 0, 0, 900), 3);
  // Each image has another class with certainty: exp(log 3).
  assertNear(inceptionScore(certain, { order: [0, 1, 2], splits: 1 }).mean, 3, 1e-14);
  const undecided = featureTable(new Float32Array(9), 3);
  assertNear(inceptionScore(undecided, { order: [0, 1, 2], splits: 1 }).mean, 1, 1e-14);
});

Deno.test("inceptionScore() depends on the order only through the splits", () => {
  const sorted = featureTable(Float32Array.of(900, 0, 900, 0, 0, 900, 0, 900), 2);
  assertNear(inceptionScore(sorted, { order: [0, 1, 2, 3], splits: 2 }).mean, 1, 1e-14);
  assertNear(inceptionScore(sorted, { order: [0, 2, 1, 3], splits: 2 }).mean, 2, 1e-14);
});

Deno.test("neighbourOverlap() on a line with k = 1, computed by hand", async () => {
  // real 0, 1, 3 with radii 1, 1, 2; samples 0.5, 4, 10 with radii 3.5, 3.5, 6.
  const a = featureTable(Float32Array.of(0.5, 4, 10), 1);
  const b = featureTable(Float32Array.of(0, 1, 3), 1);
  const overlap = await neighbourOverlap(a, b, {
    threads,
    precisionNeighbours: 1,
    densityNeighbours: 1,
  });
  assert.deepEqual(overlap, {
    precision: 2 / 3, // 0.5 and 4, not 10
    recall: 1, // 0, 1 and 3 all within 3.5 of 0.5
    density: 3 / 3, // 0.5 in the balls of 0 and 1 (its distance 2.5 to 3 is outside), 4 in that of 3
    coverage: 1,
  });
});

Deno.test("neighbourOverlap() includes borders for precision and recall and excludes them for density", async () => {
  // real 0, 2 and samples 4, 6: every radius is 2, and 2 and 4 are 2 apart.
  const a = featureTable(Float32Array.of(4, 6), 1), b = featureTable(Float32Array.of(0, 2), 1);
  const one = { threads, precisionNeighbours: 1, densityNeighbours: 1 };
  const overlap = await neighbourOverlap(a, b, one);
  assert.deepEqual(overlap, { precision: 0.5, recall: 0.5, density: 0, coverage: 0 });
});

Deno.test("neighbourOverlap() agrees with prdc and torch-fidelity", async () => {
  const five = await neighbourOverlap(samples, real, { threads, precisionNeighbours: 5 });
  for (const key of ["precision", "recall", "density", "coverage"] as const) {
    assertNear(five[key], golden.neighbours5[key], 1e-12); // counts over counts
  }
  const three = await neighbourOverlap(samples, real, { threads });
  assertNear(three.precision, golden.neighbours3.precision, 1e-7); // torch's mean is float32
  assertNear(three.recall, golden.neighbours3.recall, 1e-7);
});

Deno.test("neighbourOverlap() of a set of several tiles with itself", async () => {
  const dim = 4, count = 1500;
  const x = featureTable(
    Float32Array.from(words(keyOf(7), 0, count * dim), (w) => w / 2 ** 32),
    dim,
  );
  const seen: number[] = [];
  const { precision, recall, coverage } = await neighbourOverlap(x, x, {
    threads,
    progress: (done, of) => seen.push(done / of),
  });
  assert.equal(seen.length, 3 * 4); // three passes over two by two tiles
  assert.equal(seen.at(-1), 1);
  assert.deepEqual({ precision, recall, coverage }, { precision: 1, recall: 1, coverage: 1 });
});

Deno.test("extrapolate() finds a line in 1 / n", () => {
  const points = [100, 200, 400, 1000].map((count) => ({ count, value: 7 + 350 / count }));
  const { intercept, slope } = extrapolate(points);
  assertNear(intercept, 7, 1e-12);
  assertNear(slope, 350, 1e-9);
  assert.throws(() => extrapolate([{ count: 5, value: 1 }]), RangeError);
});

Deno.test("fidInfinity() of equal distributions is closer to 0 than the FID", async () => {
  const dim = 16, count = 600;
  const draw = (seed: number, n: number) =>
    Float32Array.from(words(keyOf(seed), 0, n * dim), (w) => w / 2 ** 32);
  const all = featureStatistics(draw(1, 40_000), dim); // close to the distribution
  const x = featureTable(draw(2, count), dim);
  const { intercept, slope } = await fidInfinity(x, all, { seed: 3, threads, points: 9 });
  // Bias of a Gaussian's FID with variances v = 1/12 for n >> d: d v (1 + (d + 1) / 8) / n + ... = 4 / n.
  assert.ok(slope > 1, `${slope}`);
  assert.ok(Math.abs(intercept) < slope / count / 2, `${intercept} ${slope / count}`);
});

Deno.test("scores refuse too few images", async () => {
  const one = featureTable(new Float32Array(golden.dim), golden.dim);
  await assert.rejects(
    kernelInceptionDistance(one, real, { seed: 0, threads }),
    /at least 2 images/,
  );
  await assert.rejects(neighbourOverlap(one, real, { threads }), /more than 5 images/);
  assert.throws(() => inceptionScore(logits, { order: [], splits: 50 }), /got 43/);
});
