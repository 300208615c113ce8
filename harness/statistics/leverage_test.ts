import assert from "node:assert/strict";
import { leveragesOf } from "./leverage.ts";

/** Leverages h = g (G'G)^-1 g' of two columns, by the inverse of a 2 by 2 matrix. */
function byInverse(rows: readonly (readonly [number, number])[]): number[] {
  const [a, b, c] = rows.reduce(([a, b, c], [x, y]) => [a + x * x, b + x * y, c + y * y], [
    0,
    0,
    0,
  ]);
  const det = a * c - b * b;
  return rows.map(([x, y]) => (c * x * x - 2 * b * x * y + a * y * y) / det);
}

Deno.test("leveragesOf() returns the diagonal of the hat matrix, which sums to the rank", () => {
  const rows = [[1, 2], [0.5, -1], [3, 0.1], [-2, 1]] as const;
  const { rank, leverages } = leveragesOf(rows.flat(), { rows: 4, columns: 2 });
  assert.equal(rank, 2);
  byInverse(rows).forEach((h, i) => assert.ok(Math.abs(leverages[i] - h) < 1e-12));
  assert.ok(Math.abs(leverages.reduce((a, b) => a + b) - 2) < 1e-12);
});

Deno.test("leveragesOf() is one for every row if there are as many independent features as rows", () => {
  const features = Array.from({ length: 15 }, (_, i) => Math.sin(3 * i * i + 1));
  const { rank, leverages } = leveragesOf(features, { rows: 3, columns: 5 });
  assert.equal(rank, 3);
  leverages.forEach((h) => assert.ok(Math.abs(h - 1) < 1e-12));
});

Deno.test("leveragesOf() counts repeated features once and ignores dead ones", () => {
  const features = [1, 1, 0, 2, 2, 0, 3, 3, 0];
  const { rank, leverages } = leveragesOf(features, { rows: 3, columns: 3 });
  assert.equal(rank, 1);
  [1 / 14, 4 / 14, 9 / 14].forEach((h, i) => assert.ok(Math.abs(leverages[i] - h) < 1e-12));
});

Deno.test("leveragesOf() refuses the wrong number of features", () => {
  assert.throws(() => leveragesOf([1, 2, 3], { rows: 2, columns: 2 }), {
    message: "Features of shape [2, 2] need 4 values, got 3",
  });
});

Deno.test("leveragesOf() of many rows: the rank counts columns that differ in float32, and leverages sum to it", () => {
  const [rows, columns] = [700, 90];
  const value = (i: number, j: number) => Math.sin(i * i * 0.37 + 11 * j + 0.1 * i * j);
  // Column 80 + j is column j plus a component of relative size 1e-3 (j < 5) or 1e-9.
  const features = Array.from({ length: rows * columns }, (_, k) => {
    const [i, j] = [Math.floor(k / columns), k % columns];
    if (j < 80) return value(i, j);
    return value(i, j - 80) + (j < 85 ? 1e-3 : 1e-9) * value(i, j + 100);
  });
  const { rank, leverages } = leveragesOf(features, { rows, columns });
  assert.equal(rank, 85);
  // Squaring the columns loses half of the digits: 1e-16 / (1e-3)^2.
  assert.ok(Math.abs(leverages.reduce((a, b) => a + b) - 85) < 1e-6);
  leverages.forEach((h) => assert.ok(h > 0 && h < 1 + 1e-9));
});
