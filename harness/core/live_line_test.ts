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

Deno.test("openLiveLine() writes over itself, and leaves nothing", () => {
  const output = screen(true);
  {
    using line = openLiveLine(output);
    line.show("one");
    line.show("two");
  }
  assert.deepEqual(output.written, ["\r\x1b[Kone", "\r\x1b[Ktwo", "\r\x1b[K"]);
});

Deno.test("openLiveLine() is silent where there is no terminal", () => {
  const output = screen(false);
  {
    using line = openLiveLine(output);
    line.show("one");
  }
  assert.deepEqual(output.written, []);
});
