import assert from "node:assert/strict";
import type { Generator } from "./generator.ts";
import { createScorer } from "./scorer.ts";
import { startStopwatch } from "../core/stopwatch.ts";
import { TINY_DATASET } from "../testing/tiny.ts";
import type { Metric } from "../core/types.ts";

const { image } = TINY_DATASET;

/** Draws `count` batches of one image, and says so in `log`. */
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

async function scorerOf(metrics: readonly Metric[], log: string[]) {
  return createScorer({
    generator: fakeGenerator(3, log),
    metrics,
    dataset: TINY_DATASET,
    images: await TINY_DATASET.load("train"),
    stopwatch: startStopwatch(),
    report: (event) =>
      log.push(
        event.event === "images"
          ? `${event.done}/${event.of}`
          : JSON.stringify(Object.values(event)),
      ),
  });
}

Deno.test("createScorer() scores every batch before the next is drawn, the reference once", async () => {
  const log: string[] = [];
  const score = await scorerOf([sumMetric(log), sumMetric(log, { available: false })], log);
  const { scores, images } = await score({ specs: {} }, {});
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
  await score({ specs: {} }, {});
  assert.deepEqual(log, once);
});

Deno.test("createScorer() names the score that is not finite, and closes it", async () => {
  const log: string[] = [];
  const score = await scorerOf([sumMetric(log, { finite: false })], log);
  await assert.rejects(score({ specs: {} }, {}), { name: "NotFiniteError", message: /sum/ });
  assert.equal(log.at(-1), "dispose");
});
