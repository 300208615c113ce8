import assert from "node:assert/strict";
import { createImageSet } from "../../harness/core/image_set.ts";
import type { Dataset } from "../../harness/core/types.ts";
import { heldOut } from "./held_out.ts";

const image = { height: 1, width: 2, channels: 1 };

/** Data set of `count` training images (i, i) with label i, whose test images must not be read. */
const numbers = (count: number): Dataset => ({
  name: "numbers",
  label: "Numbers",
  source: "made here",
  image,
  counts: { train: count, test: 5 },
  files: [],
  load: (split) => {
    assert.equal(split, "train", "the test images were read");
    const pixels = Uint8Array.from({ length: 2 * count }, (_, i) => i >> 1);
    return Promise.resolve(
      createImageSet({ image, pixels, labels: Uint8Array.from({ length: count }, (_, i) => i) }),
    );
  },
});

Deno.test("heldOut() splits the training images, the same way every time", async () => {
  const dataset = heldOut(numbers(80));
  const [train, test] = [await dataset.load("train"), await dataset.load("test")];
  assert.deepEqual(dataset.counts, { train: 70, test: 10 });
  assert.deepEqual([train.count, test.count], [70, 10]);
  const rowsOf = ({ pixels }: { readonly pixels: Uint8Array }) =>
    [...pixels].filter((_, i) => i % 2 === 0);
  const all = [...rowsOf(train), ...rowsOf(test)].sort((a, b) => a - b);
  assert.deepEqual(all, Array.from({ length: 80 }, (_, i) => i));
  assert.deepEqual([...test.labels ?? []], rowsOf(test), "labels follow their images");
  assert.notDeepEqual(rowsOf(test), Array.from({ length: 10 }, (_, i) => i), "drawn at random");
  assert.equal((await heldOut(numbers(80)).load("test")).sha256, test.sha256);
});

Deno.test("heldOut() refuses fewer than eight training images", () => {
  assert.throws(
    () => heldOut(numbers(7)),
    /^RangeError: numbers must have at least 8 training images.*, got 7/,
  );
});
