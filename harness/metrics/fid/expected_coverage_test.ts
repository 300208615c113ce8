import assert from "node:assert/strict";
import { foldIn, keyOf, words } from "../../core/noise.ts";
import { featureTable } from "./feature_table.ts";
import { expectedCoverage, neighbourOverlap } from "./neighbours.ts";

/** Points with uniform coordinates. */
function uniform(seed: number, count: number, dim: number) {
  const bits = words(foldIn(keyOf(seed), "coverage"), 0, count * dim);
  return featureTable(Float32Array.from(bits, (word) => word * 2 ** -32), dim);
}

Deno.test("expectedCoverage() of one neighbour, of many images, and of few samples", () => {
  // k = 1: the nearest of N - 1 + M others is a sample with probability M / (N - 1 + M).
  assert.ok(Math.abs(expectedCoverage({ samples: 3, real: 5, neighbours: 1 }) - 3 / 7) < 1e-15);
  // N = M without end: 1 - 2^-k; the first order of the difference is k^2 / (4 N) 2^-k.
  const many = expectedCoverage({ samples: 1e6, real: 1e6 });
  assert.ok(Math.abs(many - (1 - 2 ** -5)) < 1e-6);
  // Values of the same product worked out elsewhere, to five digits.
  for (
    const [real, samples, value] of [[1000, 1000, 0.96898], [1000, 500, 0.86897], [
      1000,
      100,
      0.37993,
    ]]
  ) {
    assert.ok(Math.abs(expectedCoverage({ samples, real }) - value) < 5e-6);
  }
});

for (
  const { samples, real, dim } of [{ samples: 200, real: 200, dim: 2 }, {
    samples: 60,
    real: 200,
    dim: 8,
  }]
) {
  Deno.test(`expectedCoverage() is the mean coverage of ${samples} samples of one distribution, dimension ${dim}`, async () => {
    const repeats = 60;
    const values: number[] = [];
    for (let i = 0; i < repeats; i++) {
      const [a, b] = [uniform(2 * i, samples, dim), uniform(2 * i + 1, real, dim)];
      values.push((await neighbourOverlap(a, b, { threads: 1 })).coverage);
    }
    const mean = values.reduce((a, b) => a + b) / repeats;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (repeats - 1);
    // Its own sampling error over the repetitions, 3.3 of them: p = 0.001.
    const error = 3.3 * Math.sqrt(variance / repeats);
    assert.ok(Math.abs(mean - expectedCoverage({ samples, real })) < error, `${mean} +- ${error}`);
    assert.ok(error < 0.02, "and it is small enough to see k off by one, 0.015 to 0.06");
  });
}
