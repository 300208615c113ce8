import assert from "node:assert/strict";
import type { RunEvent } from "./events.ts";
import { throttleEvents } from "./throttle.ts";

Deno.test("throttleEvents() drops only events of steps and images in quick succession", () => {
  let time = 0;
  const passed: string[] = [];
  const report = throttleEvents(
    (event) =>
      passed.push(
        event.event === "step"
          ? `step ${event.step}`
          : event.event === "images"
          ? `image ${event.done}`
          : event.event,
      ),
    () => time,
  );
  const step = (n: number): RunEvent => ({ event: "step", epoch: 0, step: n, metrics: {} });
  report(step(1));
  time = 100;
  report(step(2));
  report({ event: "phase", phase: "score" });
  report({ event: "images", done: 1, of: 2 });
  time = 260;
  report(step(3));
  time = 520;
  report({ event: "images", done: 2, of: 2 });
  assert.deepEqual(passed, ["step 1", "phase", "step 3", "image 2"]);
});
