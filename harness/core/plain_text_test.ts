import assert from "node:assert/strict";
import { plainText } from "./plain_text.ts";

Deno.test("plainText() keeps text, joins lines, and shows what a terminal would obey", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["Fréchet ↓ 3 ± 1, 日本語 👩‍🔬", "Fréchet ↓ 3 ± 1, 日本語 👩‍🔬"],
    ["first\r\n  second\n", "first second "],
    ["\x1b[2J\x1b]0;title\x07", "\\u001b[2J\\u001b]0;title\\u0007"],
    ["\x9b31m\x7f\x00\t", "\\u009b31m\\u007f\\u0000\\u0009"],
    ["\u202egnp.exe\u200b", "\\u202egnp.exe\\u200b"],
  ];
  for (const [text, expected] of cases) assert.equal(plainText(text), expected);
});
