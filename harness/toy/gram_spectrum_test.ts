import assert from "node:assert/strict";
import { gramSpectrumOf } from "./gram_spectrum.ts";

/** Two chains of features [2, 3, 2] of three points: K has the eigenvalues 0, 1, 4 and 0, 1, 9. */
const FEATURES = {
  shape: [2, 3, 2],
  dtype: "float32",
  data: Float32Array.of(1, 0, 0, 2, 0, 0, 0, 3, 1, 0, 0, 0),
} as const;

Deno.test("gramSpectrumOf() has the spectrum of G G', medians over the chains", () => {
  assert.deepEqual(gramSpectrumOf(FEATURES, { stepSize: 0.1, answer: undefined }), {
    least: 0,
    median: 1,
    largest: 6.5,
    rank: 2,
    stability: null,
    slowest: null,
  });
});

Deno.test("gramSpectrumOf() says from the precision what is stable, and what is slow", () => {
  const square = { ...FEATURES, shape: [1, 2, 2], data: Float32Array.of(2, 0, 0, 0.5) };
  const answer = {
    kind: "gaussian",
    means: [[0, 0], [0, 0]],
    covariance: [[0.5, 0], [0, 0.1]],
  } as const;
  const { least, largest, stability, slowest } = gramSpectrumOf(square, { stepSize: 0.01, answer });
  const close = (value: number | null, known: number) =>
    assert.ok(Math.abs((value ?? NaN) / known - 1) < 1e-12, `${value}`);
  close(least, 0.25);
  close(largest, 4);
  close(stability, 0.01 * 4 * 10); // precisions 2 and 10
  close(slowest, 1 / (0.01 * 0.25 * 2));
});
