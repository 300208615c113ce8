import assert from "node:assert/strict";
import { gunzip, isGzip, readIdx } from "./idx.ts";

/** A 2 x 3 uint8 array as in the format's own description. */
const MATRIX = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);

Deno.test("readIdx() reads shape and elements", () => {
  const { shape, data } = readIdx(MATRIX);
  assert.deepEqual(shape, [2, 3]);
  assert.deepEqual([...data], [1, 2, 3, 4, 5, 6]);
});

Deno.test("readIdx() reads sizes big-endian, also from a view", () => {
  const bytes = new Uint8Array(7 + 8 + 258);
  bytes.set([0, 0, 8, 1, 0, 0, 1, 2], 7);
  assert.deepEqual(readIdx(bytes.subarray(7)).shape, [258]);
});

for (
  const [criterion, bytes, message] of [
    [
      "another format",
      Uint8Array.of(0x3c, 0x68, 0x74, 0x6d),
      /starts with 3c68746d, expected 0000/,
    ],
    ["an empty file", new Uint8Array(0), /Not an IDX file/],
    ["other element types", MATRIX.with(2, 0x0d), /type code must be 0x08 \(uint8\), got 0x0d/],
    ["a truncated header", MATRIX.slice(0, 10), /header of rank 2 is truncated at 10 bytes/],
    ["a truncated array", MATRIX.slice(0, -1), /shape \[2,3\] needs 6 bytes, the file has 5/],
    [
      "an array of 255 axes, in a short message",
      new Uint8Array([0, 0, 8, 255, ...new Uint8Array(4 * 255).fill(1)]),
      /^IDX array of shape \[.{201}\] needs \S+ bytes, the file has 0$/,
    ],
    ["trailing bytes", new Uint8Array([...MATRIX, 0]), /needs 6 bytes, the file has 7/],
  ] as const
) {
  Deno.test(`readIdx() refuses ${criterion}`, () => {
    assert.throws(() => readIdx(bytes), (error: Error) => {
      assert(error instanceof SyntaxError);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("gunzip() decompresses the output of Python's gzip, and refuses a truncated stream", async () => {
  // python3 -c "import gzip; print(list(gzip.compress(b'laebench', mtime=0)))"
  // deno-fmt-ignore
  const packed = Uint8Array.of(31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 73, 76, 77, 74, 205, 75, 206, 0, 0, 29, 167, 100, 55, 8, 0, 0, 0);
  assert(isGzip(packed));
  assert.equal(new TextDecoder().decode(await gunzip(packed)), "laebench");
  await assert.rejects(gunzip(packed.slice(0, -9)));
});
