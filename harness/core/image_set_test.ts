import assert from "node:assert/strict";
import { createImageSet, cropImages, padImages, selectImages } from "./image_set.ts";

Deno.test("padImages() centres images, with an odd remainder below and to the right", () => {
  // Two images of 2x2 pixels with 2 channels onto 3x3, and one of 1x1 onto 4x4.
  const pixels = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
  const padded = padImages(pixels, { from: { height: 2, width: 2, channels: 2 }, to: 3 });
  const zeros = [0, 0, 0, 0, 0, 0];
  assert.deepEqual([...padded], [
    ...[[1, 2, 3, 4, 0, 0], [5, 6, 7, 8, 0, 0], zeros].flat(),
    ...[[9, 10, 11, 12, 0, 0], [13, 14, 15, 16, 0, 0], zeros].flat(),
  ]);
  const point = padImages(Uint8Array.of(9), { from: { height: 1, width: 1, channels: 1 }, to: 4 });
  assert.equal(point.indexOf(9), 5);
});

Deno.test("cropImages() inverts padImages(), even and odd remainders alike", () => {
  const small = { height: 2, width: 3, channels: 2 };
  const pixels = Uint8Array.from({ length: 3 * 12 }, (_, i) => i + 1);
  for (const side of [3, 4, 5, 6]) {
    const from = { height: side, width: side, channels: 2 };
    assert.deepEqual(
      cropImages(padImages(pixels, { from: small, to: side }), { from, to: small }),
      pixels,
    );
  }
});

Deno.test("padImages() refuses a canvas that is too small", () => {
  const from = { height: 4, width: 2, channels: 1 };
  assert.throws(() => padImages(new Uint8Array(8), { from, to: 3 }), RangeError);
});

Deno.test("createImageSet() counts images and hashes pixels", () => {
  const image = { height: 1, width: 3, channels: 1 };
  const set = createImageSet({ image, pixels: new TextEncoder().encode("abcabc") });
  assert.equal(set.count, 2);
  // printf abcabc | sha256sum
  assert.equal(set.sha256, "bbb59da3af939f7af5f360f2ceb80a496e3bae1cd87dde426db0ae40677e1c2c");
});

Deno.test("createImageSet() refuses partial images, empty sets and a wrong number of labels", () => {
  const image = { height: 1, width: 3, channels: 1 };
  assert.throws(() => createImageSet({ image, pixels: new Uint8Array(4) }), RangeError);
  assert.throws(() => createImageSet({ image, pixels: new Uint8Array(0) }), RangeError);
  const labels = new Uint8Array(3);
  assert.throws(() => createImageSet({ image, pixels: new Uint8Array(6), labels }), RangeError);
});

Deno.test("createImageSet() refuses a mask of another shape, and selectImages() keeps masks", () => {
  const set = { image: { height: 1, width: 2, channels: 3 }, pixels: new Uint8Array(12) };
  const seen = Uint8Array.of(1, 0, 0, 1);
  const chosen = selectImages(createImageSet({ ...set, seen }), Int32Array.of(1, 0, 1));
  assert.deepEqual(chosen.seen, Uint8Array.of(0, 1, 1, 0, 0, 1));
  assert.throws(
    () => createImageSet({ ...set, seen: new Uint8Array(12) }),
    /^RangeError: The mask of 2 images of 1x2 must have 4 bytes, got 12$/,
  );
  assert.throws(
    () => createImageSet({ ...set, seen: Uint8Array.of(1, 0, 0, 255) }),
    /^RangeError: A mask must have the values 0 and 1, got 255$/,
  );
});
