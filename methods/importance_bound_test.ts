import assert from "node:assert/strict";
import { importanceBound } from "./importance_bound.ts";

Deno.test("importanceBound() is the mean for k = 1 and log-mean-exp of groups for larger k", () => {
  const weights = [[-1, -2], [-3, 0], [-5, -2], [-1, 0]];
  assert.ok(Math.abs(importanceBound(weights, 1) - -14 / 8) < 1e-12);
  const pair = (a: number, b: number) => Math.log((Math.exp(a) + Math.exp(b)) / 2);
  const expected = (pair(-1, -3) + pair(-2, 0) + pair(-5, -1) + pair(-2, 0)) / 4;
  assert.ok(Math.abs(importanceBound(weights, 2) - expected) < 1e-12);
});

Deno.test("importanceBound() does not overflow or underflow", () => {
  assert.equal(importanceBound([[-5000], [-5000]], 2), -5000);
  assert.ok(Math.abs(importanceBound([[4000], [-4000]], 2) - (4000 - Math.log(2))) < 1e-9);
});

Deno.test("importanceBound() refuses draws that are no groups of k", () => {
  assert.throws(() => importanceBound([[0], [0], [0]], 2), /3 draws are not in groups of 2/);
  assert.throws(() => importanceBound([], 1), RangeError);
});
