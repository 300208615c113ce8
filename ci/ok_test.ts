import assert from "node:assert/strict";
import { countTests } from "./ok.ts";

Deno.test("countTests() sums the summary lines of deno test, coloured or not", () => {
  // Lines of deno 2.9.6, and a line of a test's output that only resembles them.
  const output = [
    "x() says ok | 7 passed | 0 failed ... ok (1ms)",
    "\x1b[32mok\x1b[0m | 40 passed | 0 failed \x1b[38;5;245m(70ms)\x1b[0m",
    "\x1b[31mFAILED\x1b[0m | 19 passed (2 steps) | 1 failed (490ms)",
    "ok | 3 passed | 0 failed | 2 ignored (1s)",
  ].join("\n");
  assert.deepEqual(countTests(output), { passed: 62, failed: 1 });
  assert.deepEqual(countTests("error: Type checking failed"), { passed: 0, failed: 0 });
});
