import assert from "node:assert/strict";
import type { RunEvent } from "./events.ts";
import { throttleSteps } from "./throttle.ts";

Deno.test("throttleSteps() drops steps that follow too soon, and nothing else", () => {
  let time = 0;
  const passed: string[] = [];
  const report = throttleSteps(
    (event) => passed.push(event.event === "step" ? `step ${event.step}` : event.event),
    () => time,
  );
  const step = (n: number): RunEvent => ({ event: "step", epoch: 0, step: n, metrics: {} });
  report(step(1));
  time = 100;
  report(step(2));
  report({ event: "phase", phase: "sample" });
  time = 260;
  report(step(3));
  assert.deepEqual(passed, ["step 1", "phase", "step 3"]);
});
