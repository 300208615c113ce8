import assert from "node:assert/strict";
import type { Generator } from "./generator.ts";
import { drawReal } from "./score_passes.ts";
import { createScorer } from "./scorer.ts";
import { createImageSet } from "../core/image_set.ts";
import { keyOf } from "../core/noise.ts";
import { startStopwatch } from "../core/stopwatch.ts";
import { TINY_DATASET } from "../testing/tiny.ts";
import { metricOf } from "../metrics/family.ts";
import type { Metric, MetricFamily, Split } from "../core/types.ts";

const { image } = TINY_DATASET;

/** Draws `count` batches of one image and logs each in `log`. */
function fakeGenerator(count: number, log: string[]): Generator {
  return {
    count,
    async draw(state, { use }) {
      for (let i = 0; i < count; i++) {
        log.push(`draw ${i}`);
        await use({ image, count: 1, pixels: new Uint8Array(6).fill(i) });
      }
      return state;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** The sum of the first pixels. */
const sumMetric = (log: string[], { finite = true, available = true } = {}): Metric => {
  const name = available ? "sum" : "absent";
  return {
    name,
    label: name,
    better: "lower",
    available: () => Promise.resolve(available ? null : "not here"),
    reference(real, watcher) {
      log.push(`reference ${real.count}`);
      watcher?.waiting?.();
      watcher?.done?.(real.count);
      return Promise.resolve(1000);
    },
    begin(reference) {
      let sum = Number(reference);
      return Promise.resolve({
        add({ pixels }) {
          log.push(`add ${pixels[0]}`);
          sum += pixels[0];
          return Promise.resolve();
        },
        finish: () => Promise.resolve(finite ? sum : NaN),
        [Symbol.asyncDispose]() {
          log.push("dispose");
          return Promise.resolve();
        },
      });
    },
  };
};

/** 17 training images, and 5 inverted ones. */
async function loadPart(split: Split) {
  const train = await TINY_DATASET.load("train");
  if (split === "train") return train;
  return createImageSet({ image, pixels: train.pixels.slice(0, 5 * 6).map((v) => 255 - v) });
}

async function scorerOf(metrics: readonly Metric[], log: string[]) {
  return createScorer({
    metrics,
    dataset: { ...TINY_DATASET, load: loadPart },
    images: await loadPart("train"),
    real: { count: 3, key: keyOf(0) },
    stopwatch: startStopwatch(),
    report: (event) =>
      log.push(
        event.event === "images"
          ? `${event.done}/${event.of}`
          : JSON.stringify(Object.values(event)),
      ),
  });
}

Deno.test("createScorer() scores each batch before the next is drawn, and computes the reference once", async () => {
  const log: string[] = [];
  const drawing = { generator: fakeGenerator(3, log), state: { specs: {} }, chains: {} };
  const score = await scorerOf([sumMetric(log), sumMetric(log, { available: false })], log);
  const { scores, images } = await score(drawing);
  assert.deepEqual(
    scores,
    { sum: 1003 },
    "0 + 1 + 2 on the reference, and nothing of the absent one",
  );
  assert.deepEqual([images.count, images.pixels[0]], [1, 0], "the first batch, for the grid");
  const batches = ["draw 0", "add 0", "1/3", "draw 1", "add 1", "2/3", "draw 2", "add 2", "3/3"];
  const once = ['["phase","score"]', ...batches, "dispose"];
  assert.deepEqual(log, [
    '["phase","reference"]',
    "reference 17",
    '["phase","wait"]',
    "17/17",
    ...once,
  ]);
  log.length = 0;
  await score(drawing);
  assert.deepEqual(log, once);
});

Deno.test("createScorer() names a score that is not finite, and disposes of its scoring", async () => {
  const log: string[] = [];
  const drawing = { generator: fakeGenerator(3, log), state: { specs: {} }, chains: {} };
  const score = await scorerOf([sumMetric(log, { finite: false })], log);
  await assert.rejects(score(drawing), { name: "NotFiniteError", message: /sum/ });
  assert.equal(log.at(-1), "dispose");
});

Deno.test("createScorer() compares a family's findings for samples with real images of the other split, drawn once", async () => {
  const log: string[] = [];
  let last: Uint8Array = new Uint8Array();
  const family: MetricFamily = {
    name: "counts",
    reference: (real) => Promise.resolve(real.count),
    begin: (reference) => {
      let [count, sum] = [0, 0];
      return Promise.resolve({
        add(images) {
          log.push(`add ${images.count}`);
          last = images.pixels;
          count += images.count;
          sum += images.pixels[0];
          return Promise.resolve();
        },
        finish: () => {
          const scores = { sum, reference: Number(reference) };
          return Promise.resolve({ count, scores, standardErrors: {}, expected: {} });
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      });
    },
  };
  const metric = metricOf(family, { name: "sum", label: "sum", better: "lower", against: "test" });
  const drawing = { generator: fakeGenerator(3, []), state: { specs: {} }, chains: {} };
  const score = await scorerOf([metric], []);
  const { scores, families } = await score(drawing);
  assert.deepEqual(scores, { sum: 3 });
  assert.deepEqual(families?.counts.samples.scores, { sum: 3, reference: 5 });
  assert.deepEqual([families?.counts.real.count, families?.counts.real.scores.reference], [3, 5]);
  assert.deepEqual(log, ["add 1", "add 1", "add 1", "add 3"]);
  const train = await loadPart("train");
  assert.deepEqual(last, drawReal(train, { count: 3, key: keyOf(0) }).pixels);
  log.length = 0;
  const again = await score(drawing);
  assert.deepEqual(again.families, families);
  assert.deepEqual(log, ["add 1", "add 1", "add 1"], "real images are scored once");
});
