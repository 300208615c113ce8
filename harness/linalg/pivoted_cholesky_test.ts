import assert from "node:assert/strict";
import { keyOf, words } from "../core/noise.ts";
import { pivotedCholesky } from "./pivoted_cholesky.ts";

/** B B^T for a random B [d, rank], whose rows differ in size. */
function gram(d: number, rank: number): Float64Array {
  const b = Float64Array.from(
    words(keyOf(d), 0, d * rank),
    (w, i) => (w / 2 ** 32 - 0.5) * (1 + (Math.floor(i / rank) * 7) % 5),
  );
  const out = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      for (let k = 0; k < rank; k++) out[i * d + j] += b[i * rank + k] * b[j * rank + k];
    }
  }
  return out;
}

Deno.test("pivotedCholesky() L L^T reproduces the matrix, for every rank", () => {
  for (const [d, rank] of [[1, 1], [3, 2], [64, 64], [150, 150], [150, 70], [150, 64], [130, 3]]) {
    const matrix = gram(d, rank);
    const { order, transposed: lt, rank: found } = pivotedCholesky(matrix, d, rank);
    assert.equal(found, rank);
    assert.deepEqual([...order].sort((a, b) => a - b), Array.from({ length: d }, (_, i) => i));
    const largest = Math.max(...matrix);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) {
        let sum = 0;
        for (let k = 0; k < found; k++) sum += lt[k * d + i] * lt[k * d + j];
        assert.ok(
          Math.abs(sum - matrix[order[i] * d + order[j]]) <= 4 * d * Number.EPSILON * largest,
        );
      }
    }
  }
});

Deno.test("pivotedCholesky() pivots on the largest remaining variance", () => {
  const { order, transposed } = pivotedCholesky(Float64Array.of(1, 0, 0, 0, 9, 0, 0, 0, 4), 3);
  assert.deepEqual([...order], [1, 2, 0]);
  assert.deepEqual([...transposed], [3, 0, 0, 0, 2, 0, 0, 0, 1]);
});

Deno.test("pivotedCholesky() finds the rank where it is exact", () => {
  // Integers, hence without rounding: two equal features and a constant one.
  const { rank } = pivotedCholesky(Float64Array.of(4, 4, 0, 4, 4, 0, 0, 0, 0), 3);
  assert.equal(rank, 1);
  assert.equal(pivotedCholesky(new Float64Array(9), 3).rank, 0);
});

Deno.test("pivotedCholesky() refuses negative and non-finite variances", () => {
  assert.throws(() => pivotedCholesky(Float64Array.of(1, 0, 0, -1), 2), /feature 1 is -1/);
  assert.throws(() => pivotedCholesky(Float64Array.of(NaN, 0, 0, 1), 2), /feature 0 is NaN/);
});
