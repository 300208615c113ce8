import assert from "node:assert/strict";
import { startStopwatch } from "./stopwatch.ts";

Deno.test("startStopwatch() runs exactly one clock at any time", () => {
  let time = 500;
  const watch = startStopwatch({ now: () => time });
  const spend = (milliseconds: number) => time += milliseconds;
  spend(1000); // other
  watch.switchTo("train");
  spend(4000);
  watch.switchTo("other");
  spend(250);
  watch.switchTo("train");
  spend(2000);
  watch.switchTo("sample");
  spend(8000);
  watch.switchTo("score");
  spend(16000);
  const seconds = watch.read();
  assert.deepEqual(seconds, { train: 6, sample: 8, score: 16, other: 1.25 });
  assert.equal(Object.values(seconds).reduce((a, b) => a + b), (time - 500) / 1000);
  spend(1000);
  assert.equal(watch.read().score, 17, "reading does not stop the clock");
});

Deno.test("startStopwatch() continues from the times of an earlier process", () => {
  let time = 0;
  const watch = startStopwatch({
    before: { train: 10, sample: 1, score: 2, other: 3 },
    now: () => time,
  });
  watch.switchTo("train");
  time += 500;
  assert.deepEqual(watch.read(), { train: 10.5, sample: 1, score: 2, other: 3 });
});
