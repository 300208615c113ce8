import assert from "node:assert/strict";
import { keyOf } from "./noise.ts";
import { orderKey, shuffledRows, stepsPerEpoch } from "./row_order.ts";

Deno.test("shuffledRows() returns a reproducible permutation that differs by epoch, seed and data set", () => {
  const key = orderKey(0, "digits");
  const rows = shuffledRows(key, 0, 101);
  assert.deepEqual([...rows].sort((a, b) => a - b), Array.from({ length: 101 }, (_, i) => i));
  assert.deepEqual(shuffledRows(key, 0, 101), rows);
  for (
    const other of [
      shuffledRows(key, 1, 101),
      shuffledRows(orderKey(1, "digits"), 0, 101),
      shuffledRows(orderKey(0, "faces"), 0, 101),
    ]
  ) assert.notDeepEqual(other, rows);
});

Deno.test("shuffledRows() puts each row into each position equally often", () => {
  // 4,000 epochs of 5 rows: each of 25 cells has mean 800, standard deviation sqrt(4000 * 0.2 * 0.8) = 25.3;
  // 5 standard deviations over 25 cells: false alarm below 1.5e-5.
  const counts = new Float64Array(25);
  for (let epoch = 0; epoch < 4000; epoch++) {
    shuffledRows(keyOf(7), epoch, 5).forEach((row, place) => counts[5 * row + place]++);
  }
  for (const count of counts) assert.ok(Math.abs(count - 800) < 127, `count ${count}`);
});

Deno.test("stepsPerEpoch() drops the partial batch", () => {
  assert.equal(stepsPerEpoch(250, 100), 2);
  assert.equal(stepsPerEpoch(200, 100), 2);
});
