import assert from "node:assert/strict";
import { studentInterval } from "./student.ts";

/** Upper 2.5 % points of Student's t by degrees of freedom: Abramowitz and Stegun 1964, table 26.10. */
const TABLE: readonly (readonly [number, number])[] = [
  [1, 12.706],
  [2, 4.303],
  [4, 2.776],
  [9, 2.262],
  [30, 2.042],
];

Deno.test("studentInterval() has the half-widths of printed tables", () => {
  for (const [degrees, quantile] of TABLE) {
    const n = degrees + 1;
    const [low, high] = studentInterval({ mean: 5, std: Math.sqrt(n), n }) ?? [];
    assert.ok(low !== undefined && high !== undefined);
    assert.ok(Math.abs(high - 5 - quantile) < 6e-4, `${degrees}: ${high - 5}`); // three printed decimals
    assert.ok(Math.abs(low + high - 10) < 1e-12, "symmetric about the mean");
  }
});

Deno.test("studentInterval() has the closed form of two degrees of freedom at any level", () => {
  for (const level of [0.5, 0.9, 0.99]) {
    // With p = (1 + level) / 2: t = (2p - 1) / sqrt(2p (1 - p)).
    const p = (1 + level) / 2;
    const expected = level / Math.sqrt(2 * p * (1 - p));
    const [, high] = studentInterval({ mean: 0, std: Math.sqrt(3), n: 3 }, level) ?? [];
    assert.ok(Math.abs((high ?? NaN) / expected - 1) < 1e-7, `${level}: ${high}, ${expected}`);
  }
});

Deno.test("studentInterval() has no interval below two draws, a point for equal ones, and refuses a level that is none", () => {
  assert.equal(studentInterval({ mean: 1, std: null, n: 1 }), null);
  assert.deepEqual(studentInterval({ mean: 1, std: 0, n: 3 }), [1, 1]);
  assert.throws(
    () => studentInterval({ mean: 1, std: 1, n: 3 }, 95),
    /level must be in \(0, 1\), got 95/,
  );
});
