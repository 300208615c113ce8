import assert from "node:assert/strict";
import { createImageSet } from "../core/image_set.ts";
import { keyOf } from "../core/noise.ts";
import type { Metric, MetricFamily } from "../core/types.ts";
import { metricOf } from "../metrics/family.ts";
import { drawReal, findingsOf, passesOf } from "./score_passes.ts";

const image = { height: 1, width: 1, channels: 1 };
const set = (...pixels: number[]) => createImageSet({ image, pixels: Uint8Array.from(pixels) });

/** Sum and count of pixels; `largest` is absent for fewer than two images. */
function sums(log: string[]): MetricFamily<number> {
  return {
    name: "sums",
    reference(real) {
      log.push("reference");
      return Promise.resolve(real.count);
    },
    begin(reference, wanted) {
      log.push(`begin ${wanted}`);
      const pixels: number[] = [];
      return Promise.resolve({
        add(images) {
          log.push(`add ${images.count}`);
          pixels.push(...images.pixels);
          return Promise.resolve();
        },
        finish: () =>
          Promise.resolve({
            count: pixels.length,
            scores: {
              sum: pixels.reduce((a, b) => a + b, 0) - reference,
              count: pixels.length,
              ...pixels.length >= 2 && { largest: Math.max(...pixels) },
            },
            standardErrors: {},
            expected: {},
          }),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      });
    },
  };
}

const facts = (name: string) => ({ name, label: name, better: "lower", against: "test" } as const);

Deno.test("passesOf() passes the images through a family once for all its requested scores", async () => {
  const log: string[] = [];
  const family = sums(log);
  const [sum, largest] = ["sum", "largest"].map((name) => metricOf(family, facts(name)) as Metric);
  const alone: Metric = { ...largest, name: "alone", family: undefined };
  const passes = passesOf([sum, alone, largest]);
  assert.deepEqual(passes.map(({ name, against }) => [name, against]), [["sums", "test"], [
    "alone",
    "test",
  ]]);
  await using scoring = await passes[0].begin(await passes[0].reference(set(1, 2), {}));
  await scoring.add(set(3, 4));
  await scoring.add(set(5));
  const { scores, findings } = await scoring.finish();
  assert.deepEqual(scores, { sum: 10, largest: 5 }, "wanted ones alone");
  assert.equal(findings?.scores.count, 3, "the others are among the findings");
  assert.deepEqual(log, ["reference", "begin sum,largest", "add 2", "add 1"]);
});

Deno.test("passesOf() omits a requested score if there are too few images", async () => {
  const largest = metricOf(sums([]), facts("largest")) as Metric;
  const [pass] = passesOf([largest]);
  await using scoring = await pass.begin(0);
  await scoring.add(set(7));
  assert.deepEqual((await scoring.finish()).scores, {});
});

Deno.test("metricOf() gives the score without its family", async () => {
  const sum = metricOf(sums([]), facts("sum"));
  await using scoring = await sum.begin(await sum.reference(set(0, 0, 0)));
  await scoring.add(set(4, 5));
  assert.equal(await scoring.finish(), 6);
});

Deno.test("findingsOf() returns the findings of a family, and undefined for a metric without one", async () => {
  const sum = metricOf(sums([]), facts("sum")) as Metric;
  const [family, alone] = passesOf([sum, { ...sum, family: undefined }]);
  assert.equal((await findingsOf(family, set(1, 2, 3), 0))?.scores.sum, 6);
  assert.equal(await findingsOf(alone, set(1, 2, 3), 0), undefined);
});

Deno.test("drawReal() draws distinct images in the order of the set, and different ones for another key", () => {
  const all = set(...Array.from({ length: 50 }, (_, i) => i));
  const draw = (seed: number, count: number) => [
    ...drawReal(all, { count, key: keyOf(seed) }).pixels,
  ];
  const first = draw(0, 10);
  assert.equal(new Set(first).size, 10);
  assert.deepEqual(first, first.toSorted((a, b) => a - b));
  assert.notDeepEqual(first, draw(1, 10));
  assert.deepEqual(draw(0, 99), [...all.pixels], "all, where fewer are there than are asked for");
});
