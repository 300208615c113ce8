import assert from "node:assert/strict";
import { largestRitzValue } from "./lanczos.ts";

Deno.test("largestRitzValue() is the largest eigenvalue of a tridiagonal matrix, with its sign", () => {
  // The second difference matrix has the eigenvalues 2 - 2 cos(k pi / (n + 1)).
  const n = 7;
  const offDiagonal = Array<number>(n).fill(-1); // the last entry is ignored
  const largest = 2 - 2 * Math.cos(n * Math.PI / (n + 1));
  const found = largestRitzValue({ diagonal: Array(n).fill(2), offDiagonal });
  assert.ok(Math.abs(found - largest) < 1e-12, String(found));
  const shifted = largestRitzValue({ diagonal: Array(n).fill(-3), offDiagonal });
  assert.ok(Math.abs(shifted - (largest - 5)) < 1e-12, String(shifted));
});

Deno.test("largestRitzValue() is NaN where a coefficient is not finite", () => {
  assert.ok(Number.isNaN(largestRitzValue({ diagonal: [1, NaN], offDiagonal: [0] })));
  assert.ok(Number.isNaN(largestRitzValue({ diagonal: [1, 2], offDiagonal: [Infinity] })));
});
