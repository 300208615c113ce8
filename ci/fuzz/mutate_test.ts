import assert from "node:assert/strict";
import { judgeError } from "./clean_error.ts";
import { mutatedInput } from "./mutate.ts";
import { READERS } from "./readers.ts";

const SEEDS = [Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]), new TextEncoder().encode("size = 100")];

Deno.test("mutatedInput() starts with the seeds, then is a function of name and index that leaves the seeds alone", () => {
  const before = SEEDS.map((seed) => seed.toHex());
  const input = (name: string, index: number) => mutatedInput(SEEDS, { name, index }).toHex();
  assert.deepEqual([input("a", 0), input("a", 1)], before);
  const inputs = Array.from({ length: 200 }, (_, i) => input("a", i + 2));
  assert.deepEqual(inputs, Array.from({ length: 200 }, (_, i) => input("a", i + 2)));
  assert.ok(new Set(inputs).size > 150, "inputs differ from each other");
  assert.notEqual(input("b", 2), input("a", 2));
  assert.deepEqual(SEEDS.map((seed) => seed.toHex()), before);
});

Deno.test("judgeError() accepts errors about a file, and no others", () => {
  for (
    const error of [
      new SyntaxError("a.npy: truncated"),
      new RangeError("too large"),
      new Error("no"),
    ]
  ) {
    assert.equal(judgeError(error), null, `${error}`);
  }
  const unclean = [
    "text",
    new TypeError("x is not a function"),
    new RangeError("Maximum call stack size exceeded"),
    new RangeError("Invalid array length"),
    new SyntaxError("Offset is outside the bounds of the DataView"),
    new SuppressedError(new Error("a"), new Error("b")),
    new SyntaxError("x".repeat(2000)),
  ];
  for (const error of unclean) assert.notEqual(judgeError(error), null, `${error}`.slice(0, 80));
});

Deno.test("every reader accepts its first input", async () => {
  const folder = await Deno.makeTempDir();
  const accepted: string[] = [];
  for (const [name, { seeds, read }] of Object.entries(READERS)) {
    const [first] = await seeds();
    try {
      await read(new Uint8Array(first), folder);
      accepted.push(name);
    } catch { /* it is missed below */ }
  }
  await Deno.remove(folder, { recursive: true });
  assert.deepEqual(accepted, Object.keys(READERS));
});
