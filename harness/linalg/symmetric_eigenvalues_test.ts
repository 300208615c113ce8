import assert from "node:assert/strict";
import { keyOf, words } from "../core/noise.ts";
import { symmetricEigenvalues } from "./symmetric_eigenvalues.ts";

function assertClose(actual: Float64Array, expected: readonly number[], tolerance: number): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) <= tolerance, `${value}`));
}

Deno.test("symmetricEigenvalues() of the second-difference matrix", () => {
  // Eigenvalues 2 - 2 cos(k pi / (n + 1)).
  for (const n of [1, 2, 3, 10, 101]) {
    const a = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      a[i * n + i] = 2;
      if (i > 0) a[i * n + i - 1] = -1;
    }
    const expected = Array.from(
      { length: n },
      (_, k) => 2 - 2 * Math.cos((k + 1) * Math.PI / (n + 1)),
    );
    assertClose(symmetricEigenvalues(a, n), expected, 4 * n * Number.EPSILON);
  }
});

Deno.test("symmetricEigenvalues() of dense matrices with a known spectrum", () => {
  // H D H with H = I - 2 u u^T / u.u has the entries of D as eigenvalues; n odd and even, repeated values.
  for (const n of [5, 8, 33, 64]) {
    const spectrum = Array.from({ length: n }, (_, i) => Math.floor(i / 2) - n / 4);
    const u = Float64Array.from(words(keyOf(n), 0, n), (w) => w / 2 ** 32 + 0.1);
    const norm = u.reduce((sum, x) => sum + x * x, 0);
    const h = (i: number, j: number) => (i === j ? 1 : 0) - 2 * u[i] * u[j] / norm;
    const a = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        for (let k = 0; k < n; k++) a[i * n + j] += h(i, k) * spectrum[k] * h(k, j);
      }
    }
    assertClose(symmetricEigenvalues(a, n), spectrum, 16 * n * Number.EPSILON);
  }
});

Deno.test("symmetricEigenvalues() of diagonal, zero and empty matrices", () => {
  assertClose(symmetricEigenvalues(Float64Array.of(3, 0, 0, 0, -1, 0, 0, 0, 2), 3), [-1, 2, 3], 0);
  assertClose(symmetricEigenvalues(new Float64Array(16), 4), [0, 0, 0, 0], 0);
  assertClose(symmetricEigenvalues(new Float64Array(0), 0), [], 0);
});

Deno.test("symmetricEigenvalues() reads only the lower triangle", () => {
  assertClose(symmetricEigenvalues(Float64Array.of(2, 99, 1, 2), 2), [1, 3], 4 * Number.EPSILON);
});

Deno.test("symmetricEigenvalues() neither overflows nor underflows", () => {
  for (const scale of [1e200, 1e-200]) { // squares are out of range
    const a = Float64Array.of(2, 0, 0, 1, 2, 0, 1, 1, 2).map((x) => scale * x);
    assertClose(symmetricEigenvalues(a, 3).map((x) => x / scale), [1, 1, 4], 1e-14);
  }
});

Deno.test("symmetricEigenvalues() keeps the small eigenvalues of a graded matrix", () => {
  // Gram matrix of the columns s_i (e_i + e_n), s = 10^-6...1: the determinant, which is the product of
  // the eigenvalues, is known to full precision although they span 12 digits.
  const s = [1e-6, 1e-4, 1e-2, 1];
  const n = s.length;
  const a = new Float64Array(n * n);
  s.forEach((x, i) => s.forEach((y, j) => a[i * n + j] = x * y * (i === j ? 2 : 1)));
  const product = symmetricEigenvalues(a, n).reduce((p, x) => p * x, 1);
  // det (I + 1 1^T) = n + 1.
  assert.ok(Math.abs(product / (5 * 1e-24) - 1) < 1e-13);
});
