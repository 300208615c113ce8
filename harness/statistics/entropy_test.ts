import assert from "node:assert/strict";
import { foldIn, keyOf, words } from "../core/noise.ts";
import { entropyOf, entropyStandardError } from "./entropy.ts";

/** Counts of `n` draws from the classes with probabilities `p`. */
function drawCounts(seed: number, n: number, p: readonly number[]): number[] {
  const counts = p.map(() => 0);
  for (const word of words(foldIn(keyOf(seed), "entropy"), 0, n)) {
    let [rest, at] = [word * 2 ** -32, 0];
    while (at < p.length - 1 && rest >= p[at]) rest -= p[at++];
    counts[at]++;
  }
  return counts;
}

Deno.test("entropyOf() known values: one class, equal classes, one half and two quarters", () => {
  assert.equal(entropyOf([7, 0, 0]), 0);
  assert.ok(Math.abs(entropyOf([3, 3, 3, 3]) - Math.log(4)) < 1e-15);
  assert.ok(Math.abs(entropyOf([2, 1, 1]) - 1.5 * Math.log(2)) < 1e-15);
  assert.throws(() => entropyOf([0, 0]), RangeError);
});

Deno.test("entropyOf() does not depend on the order or the scale of the counts", () => {
  assert.ok(Math.abs(entropyOf([1, 5, 2]) - entropyOf([20, 10, 50])) < 1e-15);
});

for (
  const { name, p } of [
    { name: "equal classes", p: Array.from({ length: 10 }, () => 0.1) },
    { name: "52 % of one class", p: [0.52, ...Array.from({ length: 9 }, () => 0.48 / 9)] },
  ]
) {
  Deno.test(`entropyOf() has the bias -(K - 1) / 2n, and entropyStandardError() its spread: ${name}`, () => {
    const [n, repeats] = [200, 4000];
    const values: number[] = [], errors: number[] = [];
    for (let i = 0; i < repeats; i++) {
      const counts = drawCounts(i, n, p);
      values.push(entropyOf(counts));
      errors.push(entropyStandardError(counts));
    }
    const mean = (list: readonly number[]) => list.reduce((a, b) => a + b) / list.length;
    const centre = mean(values);
    const spread = Math.sqrt(mean(values.map((v) => (v - centre) ** 2)));
    const truth = -p.reduce((sum, q) => sum + q * Math.log(q), 0);
    const bias = -(p.length - 1) / (2 * n);
    // 3.3 standard errors of the mean, and the next order of the bias, (1 - sum 1/p) / 12 n^2.
    const next = Math.abs(1 - p.reduce((sum, q) => sum + 1 / q, 0)) / (12 * n ** 2);
    assert.ok(
      Math.abs(centre - truth - bias) < 3.3 * spread / Math.sqrt(repeats) + next,
      `${centre - truth} ${bias}`,
    );
    // A standard deviation from 4,000 values has a relative error near 1 / sqrt(8000) = 0.011. At equal classes the first
    // order is noise about 0, cut off below 0, which adds to the mean error: less than the second order itself, sqrt(2).
    const ratio = mean(errors) / spread;
    assert.ok(ratio > 0.95 && ratio < Math.SQRT2, `${ratio}`);
  });
}
