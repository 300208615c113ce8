import assert from "node:assert/strict";
import { mean, median, sampleStd } from "./summary.ts";

Deno.test("mean(), sampleStd() and median() of a textbook sample", () => {
  const values = [2, 4, 4, 4, 5, 5, 7, 9]; // sum of squared deviations 32 around 5
  assert.equal(mean(values), 5);
  assert.equal(sampleStd(values), Math.sqrt(32 / 7));
  assert.equal(median(values), 4.5);
  assert.equal(median([9, 1, 10]), 9, "sorted as numbers");
});

Deno.test("mean() and median() refuse empty input, and sampleStd() of one value is null", () => {
  assert.equal(sampleStd([3]), null);
  assert.throws(() => mean([]), RangeError);
  assert.throws(() => median([]), RangeError);
});

Deno.test("sampleStd() of equal values is exactly 0, though their mean rounds", () => {
  assert.notEqual(mean([1008.7, 1008.7, 1008.7]), 1008.7);
  assert.equal(sampleStd([1008.7, 1008.7, 1008.7]), 0);
});
