import assert from "node:assert/strict";
import { describe, openProgressBar } from "./progress_bar.ts";

Deno.test("describe() shows progress, rate and remaining time", () => {
  assert.equal(describe(50, 200, 5), "[######------------------] 50/200, 10/s, 15 s left");
  assert.equal(describe(0, 10, 0), "[------------------------] 0/10, 0.0/s");
  assert.equal(describe(1500, null, 1000), "1,500, 1.5/s");
});

Deno.test("openProgressBar() overwrites its line at a limited rate and clears it", () => {
  let seconds = 0;
  const written: string[] = [];
  const output = {
    isTerminal: () => true,
    writeSync: (bytes: Uint8Array) => written.push(new TextDecoder().decode(bytes)),
  };
  {
    using bar = openProgressBar("Features", { output, now: () => seconds });
    bar.update(1, 4);
    seconds = 0.1;
    bar.update(2, 4); // too soon
    seconds = 1;
    bar.update(3, 4);
    bar.update(4, 4); // the end is always shown
    bar.update(0, 9, "KID"); // too soon, but the clock restarts
    seconds = 3;
    bar.update(4, 9, "KID");
  }
  assert.deepEqual(written.map((text) => text.replace("\r\x1b[K", "").replace(/\[.*\] /, "")), [
    "Features 1/4, 0.0/s",
    "Features 3/4, 3.0/s, 1 s left",
    "Features 4/4, 4.0/s, 0 s left",
    "KID 4/9, 2.0/s, 3 s left",
    "",
  ]);
});

Deno.test("openProgressBar() is silent without a terminal", () => {
  const output = { isTerminal: () => false, writeSync: () => assert.fail("wrote") };
  using bar = openProgressBar("Features", { output });
  bar.update(1, 2);
});
