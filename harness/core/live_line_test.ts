import assert from "node:assert/strict";
import { openLiveLine } from "./live_line.ts";

function screen(terminal: boolean) {
  const written: string[] = [];
  return {
    written,
    isTerminal: () => terminal,
    writeSync: (bytes: Uint8Array) => {
      written.push(new TextDecoder().decode(bytes));
      return bytes.length;
    },
  };
}

Deno.test("openLiveLine() overwrites its line and clears it at the end", () => {
  const output = screen(true);
  {
    using line = openLiveLine(output);
    line.show("one");
    line.show("two");
  }
  assert.deepEqual(output.written, ["\r\x1b[Kone", "\r\x1b[Ktwo", "\r\x1b[K"]);
});

Deno.test("openLiveLine() is silent without a terminal", () => {
  const output = screen(false);
  {
    using line = openLiveLine(output);
    line.show("one");
  }
  assert.deepEqual(output.written, []);
});
