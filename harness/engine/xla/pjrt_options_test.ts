import assert from "node:assert/strict";
import { addressOf } from "./pjrt_api.ts";
import { compileOptions, namedValues, programArgs } from "./pjrt_options.ts";

Deno.test("namedValues() writes structs in the layout of the PJRT C API", () => {
  const bytes = namedValues({ preallocate: false, topology: "1x1x1", empty: "" });
  const view = new DataView(bytes.buffer);
  const word = (at: number) => view.getBigUint64(at, true);
  const textAt = (at: number) => {
    const begin = Number(word(at) - addressOf(bytes));
    return new TextDecoder().decode(bytes.subarray(begin, begin + Number(word(at + 8))));
  };
  for (const at of [0, 56, 112]) assert.equal(word(at), 56n); // struct_size
  assert.deepEqual([16, 72, 128].map(textAt), ["preallocate", "topology", "empty"]);
  assert.deepEqual([32, 88, 144].map((at) => view.getInt32(at, true)), [4, 0, 0]); // bool, string, string
  assert.deepEqual([word(40), word(48)], [0n, 1n]);
  assert.deepEqual([textAt(96), textAt(152)], ["1x1x1", ""]);
  assert.equal(namedValues({ preallocate: true })[40], 1);
});

Deno.test("compileOptions() writes one replica, one partition and the flags", () => {
  // Known bytes of the message without flags.
  const plain = [26, 15, 8, ...Array(9).fill(255), 1, 32, 1, 40, 1];
  assert.deepEqual([...compileOptions({})], plain);
  assert.deepEqual([...compileOptions({ a: true, b: "x" })].slice(plain.length), [
    ...[0x3a, 7, 0x0a, 1, 0x61, 0x12, 2, 0x10, 1],
    ...[0x3a, 8, 0x0a, 1, 0x62, 0x12, 3, 0x0a, 1, 0x78],
  ]);
});

Deno.test("programArgs() ends its text with a zero that the length does not count", () => {
  const long = Array.from({ length: 40 }, (_, i) => "x".repeat(4000 + i)); // the bytes after each text may be anything
  for (const text of ["module @é {}", ...long]) {
    const args = programArgs(text);
    assert.equal(args.text(16), text);
    assert.equal(args.text(32), "mlir");
    const pointer = Deno.UnsafePointer.create(args.word(16));
    assert.ok(pointer);
    assert.equal(new Deno.UnsafePointerView(pointer).getUint8(Number(args.word(24))), 0);
  }
});
