import assert from "node:assert/strict";
import { createImageSet } from "../harness/core/image_set.ts";
import { exampleRecord } from "../reports/example_records.ts";
import { learningRows, pixelGaussian } from "./learning.ts";

const record = (trained: number, untrained: number, curve: readonly number[]) => {
  const made = exampleRecord({
    scores: { fd_fashion: trained },
    untrained: { fd_fashion: untrained },
    seconds: curve.map(() => 1),
  });
  const epochs = made.epochs.map((epoch, i) => ({ ...epoch, metrics: { squaredError: curve[i] } }));
  return { ...made, epochs };
};

Deno.test("learningRows() requires scores below those of the untrained state and of Gaussian pixels, and a falling error", () => {
  const learned = (...records: Parameters<typeof learningRows>[0]) =>
    learningRows(
      records,
      ({ dataset, sampleCount }) => dataset === "fashion_4k" && sampleCount === 1000 ? 50 : NaN,
    ).map(({ learned }) => learned);
  assert.deepEqual(
    learned(
      record(40, 90, [3, 1, 2]),
      record(60, 90, [3, 2]), // worse than Gaussian pixels
      record(40, 30, [3, 2]), // worse than untrained
      record(40, 90, [2, 2]), // the error did not fall
      record(40, 90, [2]),
    ),
    [true, false, false, false, false],
  );
  const withoutErrors = exampleRecord({
    scores: { fd_fashion: 40 },
    untrained: { fd_fashion: 90 },
  });
  assert.deepEqual(learned(withoutErrors), [true], "a method without reconstructions");
  const failed = exampleRecord({ end: { status: "failed", error: "x" } });
  assert.deepEqual(learned(failed, exampleRecord({ scores: { fd_fashion: 1 } })), []);
});

Deno.test("pixelGaussian() has the mean and the variance of each pixel, and no correlations", () => {
  // Two pixels that are always equal, 100 or 140, and one that is always 7.
  const image = { height: 1, width: 3, channels: 1 };
  const set = createImageSet({ image, pixels: Uint8Array.of(100, 100, 7, 140, 140, 7) });
  const count = 20_000;
  const { pixels } = pixelGaussian(set, count);
  const column = (p: number) => Array.from({ length: count }, (_, i) => pixels[3 * i + p]);
  const [first, second] = [column(0), column(1)];
  const mean = (v: readonly number[]) => v.reduce((a, b) => a + b) / count;
  const product = (v: readonly number[], w: readonly number[]) =>
    mean(v.map((x, i) => (x - 120) * (w[i] - 120)));
  assert.ok(column(2).every((level) => level === 7));
  // Standard deviation 20; allow 4 x 20 / sqrt(20,000) for the mean and 4 x 400 sqrt(2 / 20,000) for (co)variances.
  assert.ok(Math.abs(mean(first) - 120) < 0.57);
  assert.ok(Math.abs(product(first, first) - 400) < 16);
  assert.ok(Math.abs(product(first, second)) < 11.4);
});
