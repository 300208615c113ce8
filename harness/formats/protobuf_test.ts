import assert from "node:assert/strict";
import { bytes, encode, fields, float, int, integers, message, text, utf8 } from "./protobuf.ts";

Deno.test("encode() writes the examples of the encoding guide", () => {
  // https://protobuf.dev/programming-guides/encoding/: field 1 = 150 is 08 96 01; field 2 = "testing" is 12 07 ...
  assert.deepEqual([...encode(int(1, 150))], [0x08, 0x96, 0x01]);
  assert.deepEqual([...encode(text(2, "testing"))], [
    0x12,
    0x07,
    0x74,
    0x65,
    0x73,
    0x74,
    0x69,
    0x6e,
    0x67,
  ]);
  // A negative int64 takes ten bytes.
  assert.deepEqual([...encode(int(1, -1))], [0x08, ...Array(9).fill(0xff), 0x01]);
});

Deno.test("fields() reads what encode() writes, and skips fixed-size numbers", () => {
  const written = encode(
    int(1, 2 ** 40 + 5),
    float(2, 1.5),
    text(3, "é"),
    message(200, int(7, 1), int(7, 300)),
  );
  const read = [...fields(written)];
  assert.deepEqual(read.map(({ number }) => number), [1, 2, 3, 200]);
  assert.equal(read[0].value, 2 ** 40 + 5);
  assert.equal(utf8(read[2].bytes), "é");
  assert.deepEqual([...fields(read[3].bytes)].flatMap(integers), [1, 300]);
});

Deno.test("integers() reads a packed repeated field", () => {
  const [packed] = fields(encode(bytes(4, Uint8Array.of(0x03, 0xac, 0x02, 0x00))));
  assert.deepEqual(integers(packed), [3, 300, 0]);
});

Deno.test("fields() refuses truncated messages and unknown wire types", () => {
  const whole = encode(text(2, "testing"));
  const read = (content: Uint8Array<ArrayBuffer>) => () => [...fields(content)];
  assert.throws(read(whole.slice(0, 4)), /broken at byte 2/);
  assert.throws(read(Uint8Array.of(0x08, 0xff)), SyntaxError); // a varint without its last byte
  assert.throws(read(Uint8Array.of(0x0b)), SyntaxError); // a group, which current encoders do not write
  assert.throws(read(Uint8Array.of(0x08, ...Array(12).fill(0xff))), SyntaxError);
});
