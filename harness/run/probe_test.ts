import assert from "node:assert/strict";
import { openDevice } from "../engine/device.ts";
import { measurePace } from "./probe.ts";
import { resolveRuns } from "../experiment/spec.ts";
import { TINY_DATASET, TINY_EXPERIMENT, TINY_METHOD, TINY_TABLES } from "../testing/tiny.ts";

Deno.test("measurePace() measures a step and the rest within its own duration", async () => {
  const [spec] = resolveRuns(TINY_EXPERIMENT, TINY_TABLES);
  await using device = await openDevice("tfjs-cpu", { threads: 1 });
  const method = TINY_METHOD;
  const start = performance.now();
  const pace = await measurePace(spec, { method, dataset: TINY_DATASET, device });
  const seconds = (performance.now() - start) / 1000;
  assert.ok(pace.secondsPerStep > 0 && pace.secondsPerStep < seconds);
  // It drew 100 samples and counts them 2 x 130 / 100 = 2.6-fold.
  assert.ok(pace.restSeconds > 0 && pace.restSeconds < 2.6 * seconds);
});
