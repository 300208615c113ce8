import assert from "node:assert/strict";
import { foldIn, keyOf, words } from "../../core/noise.ts";
import { type FeatureTable, featureTable, selectRows } from "./feature_table.ts";
import { kernelInceptionDistance, kidOfAllImages } from "./kid.ts";

const threads = 1;

/** Features uniform in [shift, shift + 1). */
function uniform(seed: number, count: number, dim: number, shift = 0): FeatureTable {
  const bits = words(foldIn(keyOf(seed), "kid"), 0, count * dim);
  return featureTable(Float32Array.from(bits, (word) => word * 2 ** -32 + shift), dim);
}

/** The table without row `left`. */
function without(table: FeatureTable, left: number): FeatureTable {
  const rows = Array.from({ length: table.count }, (_, i) => i).filter((i) => i !== left);
  return selectRows(table, rows);
}

/** Unbiased squared MMD in float64, term by term. */
function mmd(x: FeatureTable, y: FeatureTable): number {
  const row = ({ data, dim }: FeatureTable, i: number) => data.subarray(i * dim, (i + 1) * dim);
  const meanOf = (a: FeatureTable, b: FeatureTable) => {
    let [sum, count] = [0, 0];
    for (let i = 0; i < a.count; i++) {
      for (let j = 0; j < b.count; j++) {
        if (a === b && i === j) continue;
        const [p, q] = [row(a, i), row(b, j)];
        sum += (p.reduce((dot, v, k) => dot + v * q[k], 0) / a.dim + 1) ** 3;
        count++;
      }
    }
    return sum / count;
  };
  return meanOf(x, x) + meanOf(y, y) - 2 * meanOf(x, y);
}

Deno.test("kidOfAllImages() by hand for three points against three", async () => {
  // d = 1, k(a, b) = (ab + 1)^3; x = {0, 1, 2}: 1, 1, 27; y = {0, 0, 1}: 1, 1, 1; cross: 1 (5 times of 0 with any, and
  // 1, 1 of 1 and 2 with 0, 0), then 1.1 -> 8, 2.1 -> 27: 7 * 1 + 8 + 27 = 42.
  const x = featureTable(Float32Array.of(0, 1, 2), 1),
    y = featureTable(Float32Array.of(0, 0, 1), 1);
  const { value } = await kidOfAllImages(x, y, { threads });
  assert.ok(Math.abs(value - (29 / 3 + 1 - 2 * 42 / 9)) < 1e-12, `${value}`);
});

Deno.test("kidOfAllImages() has the jackknife error of leaving out every image in turn", async () => {
  const x = uniform(1, 12, 5, 0.3), y = uniform(2, 17, 5);
  const { value, standardError } = await kidOfAllImages(x, y, { threads });
  // Kernels of size (0.8^2 + 1)^3 = 4 from float32 products: a few roundings of 2^-24 each.
  assert.ok(Math.abs(value - mmd(x, y)) < 4 * 8 * 2 ** -24, `${value}`);
  const variance = (values: readonly number[]) => {
    const n = values.length;
    const mean = values.reduce((a, b) => a + b) / n;
    return (n - 1) / n * values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  };
  const leaveOut = (table: FeatureTable) => Array.from({ length: table.count }, (_, i) => i);
  const expected = Math.sqrt(
    variance(leaveOut(x).map((i) => mmd(without(x, i), y))) +
      variance(leaveOut(y).map((j) => mmd(x, without(y, j)))),
  );
  assert.ok(Math.abs(standardError - expected) < 1e-4 * expected, `${standardError} ${expected}`);
});

Deno.test("kidOfAllImages() is symmetric, and equals one subset that is both sets, also across tiles", async () => {
  const x = uniform(3, 1100, 3, 0.1), y = uniform(4, 1100, 3);
  const forth = await kidOfAllImages(x, y, { threads });
  const back = await kidOfAllImages(y, x, { threads });
  const one = await kernelInceptionDistance(x, y, {
    subsets: 1,
    subsetSize: 1100,
    seed: 0,
    threads,
  });
  // The same terms, in another order: kernels of size 3 from float32 products, averaged.
  assert.ok(Math.abs(forth.value - one.mean) < 3 * 2 ** -24);
  assert.ok(Math.abs(forth.value - back.value) < 3 * 2 ** -24);
  assert.ok(Math.abs(forth.standardError / back.standardError - 1) < 1e-4);
});

Deno.test("kidOfAllImages() of a set with itself counts every image with itself in the cross term", async () => {
  const x = uniform(7, 8, 3);
  const copy = featureTable(x.data.slice(), 3);
  const options = { threads };
  assert.deepEqual(await kidOfAllImages(x, x, options), await kidOfAllImages(x, copy, options));
});

Deno.test("kidOfAllImages() has errors of the size of its spread over new images", async () => {
  const estimates = [];
  for (let i = 0; i < 60; i++) {
    const [x, y] = [uniform(100 + i, 60, 4, 0.2), uniform(200 + i, 60, 4)];
    estimates.push(await kidOfAllImages(x, y, { threads }));
  }
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
  const values = estimates.map(({ value }) => value);
  const centre = mean(values);
  const spread = Math.sqrt(mean(values.map((v) => (v - centre) ** 2)) * 60 / 59);
  const ratio = mean(estimates.map(({ standardError }) => standardError)) / spread;
  // The spread of 60 values has a relative error of 1 / sqrt(118) = 0.092: 3.3 of them, and the jackknife's own bias
  // upwards, at most sqrt(2) in the degenerate limit.
  assert.ok(ratio > 1 - 3.3 * 0.092 && ratio < Math.SQRT2 + 3.3 * 0.092, `${ratio}`);
});

Deno.test("kidOfAllImages() refuses two images, of which none can be left out", async () => {
  const two = uniform(5, 2, 3), many = uniform(6, 9, 3);
  await assert.rejects(kidOfAllImages(many, two, { threads }), /at least 3 images/);
});
