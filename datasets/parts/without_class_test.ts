import assert from "node:assert/strict";
import { fashion4k } from "../fashion_4k.ts";
import { isMade, resolveDataset } from "../mod.ts";
import { withoutClass } from "./without_class.ts";

Deno.test("resolveDataset() of NAME-CLASS trains without the class and keeps all test images", async () => {
  const dataset = await resolveDataset("fashion_4k-3");
  assert.deepEqual(
    [dataset.name, dataset.anomaly, dataset.counts],
    ["fashion_4k-3", 3, { train: 3600, test: 1000 }],
  );
  const [train, test, whole] = await Promise.all([
    dataset.load("train"),
    dataset.load("test"),
    fashion4k.load("train"),
  ]);
  assert.equal(train.count, 3600);
  assert.ok(train.labels !== undefined && !train.labels.includes(3));
  assert.equal(test.labels?.filter((label) => label === 3).length, 100);
  // The fourth image of the set is the first of class 3; the fifth takes its place.
  const size = 32 * 32;
  assert.deepEqual(
    train.pixels.subarray(3 * size, 4 * size),
    whole.pixels.subarray(4 * size, 5 * size),
  );
});

Deno.test("withoutClass() refuses a class that the data lack, and data without labels, in one line", async () => {
  await assert.rejects(
    withoutClass(fashion4k, 12),
    /^RangeError: fashion_4k has no class 12: its classes are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9$/,
  );
  const unlabelled = {
    ...fashion4k,
    load: async (split: "train" | "test") => ({
      ...await fashion4k.load(split),
      labels: undefined,
    }),
  };
  await assert.rejects(
    withoutClass(unlabelled, 3),
    /^RangeError: fashion_4k has no labels: no class of it can be held out$/,
  );
});

Deno.test("isMade() knows the names of data sets that are made on demand", () => {
  for (const name of ["folder:a", "heldout:mnist", "fashion_4k-3", "mnist-0"]) {
    assert.ok(isMade(name), name);
  }
  for (const name of ["mnist", "other-3", "fashion_4k-x", "toString-3"]) {
    assert.ok(!isMade(name), name);
  }
});
