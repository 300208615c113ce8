import assert from "node:assert/strict";
import { parseEvent, type RunEvent } from "./events.ts";

Deno.test("parseEvent() reads events and ignores everything else", () => {
  const events: RunEvent[] = [
    { event: "phase", phase: "train" },
    { event: "warning", text: "the prior chain is unstable" },
    { event: "step", epoch: 0, step: 3, metrics: { loss: 1.5 } },
    {
      event: "epoch",
      record: { epoch: 0, seconds: 1, warmup: true, steps: 4, metrics: { loss: 1.5 } },
    },
  ];
  for (const event of events) assert.deepEqual(parseEvent(JSON.stringify(event)), event);
  for (const line of ["", "[W:onnxruntime] a warning", "{", '{"event":"dance"}', "{}", "null"]) {
    assert.equal(parseEvent(line), undefined, line);
  }
});
