import assert from "node:assert/strict";
import { npyPictures } from "./npy_images.ts";

/** A .npy array without data, of a header in Python's syntax. */
function npy(header: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const head = new Uint8Array([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 0, 0]);
  new DataView(head.buffer).setUint16(8, text.length, true);
  return new Uint8Array([...head, ...text]);
}

Deno.test("npyPictures() shows the beginning of what is wrong, however long it is", () => {
  const axes = Array(1000).fill(1).join(", ");
  for (
    const header of [
      `{'descr': '${"<f4".repeat(1000)}', 'fortran_order': False, 'shape': (1, 2, 2)}`,
      `{'descr': '|u1', 'fortran_order': False, 'shape': (${axes}, 0)}`,
      `{'descr': '|u1', 'fortran_order': False, 'shape': (${axes}, 7)}`,
    ]
  ) {
    assert.throws(
      () => npyPictures(npy(header), "a.npy"),
      ({ message }: Error) => message.startsWith("a.npy ") && message.length < 300,
    );
  }
});
