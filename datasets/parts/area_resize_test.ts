import assert from "node:assert/strict";
import { centreSquare, type Picture, resizeArea } from "./area_resize.ts";

/** Makes an image of one channel from rows of numbers. */
function grey(rows: readonly (readonly number[])[]): Picture {
  const data = Uint8Array.from(rows.flat());
  return { height: rows.length, width: rows[0].length, channels: 1, data };
}

Deno.test("resizeArea() computes the mean of whole blocks", () => {
  const picture = grey([[0, 4, 10, 10], [8, 0, 10, 10], [1, 1, 0, 255], [1, 1, 255, 0]]);
  // (0 + 4 + 8 + 0) / 4 = 3; (0 + 255 + 255 + 0) / 4 = 127.5, rounded half up
  assert.deepEqual([...resizeArea(picture, 2).data], [3, 10, 1, 128]);
});

Deno.test("resizeArea() weights pixels by their overlapping area", () => {
  // Along one axis 3 -> 2: the weights are (2/3, 1/3) and (1/3, 2/3).
  const picture = grey([[90, 30, 210], [90, 30, 210], [90, 30, 210]]);
  assert.deepEqual([...resizeArea(picture, 2).data], [70, 150, 70, 150]);
  const turned = grey([[90, 90, 90], [30, 30, 30], [210, 210, 210]]);
  assert.deepEqual([...resizeArea(turned, 2).data], [70, 70, 150, 150]);
});

Deno.test("resizeArea() repeats pixels when it enlarges by an integer ratio", () => {
  const data = [...resizeArea(grey([[1, 2], [3, 4]]), 4).data];
  assert.deepEqual(data, [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
});

Deno.test("resizeArea() preserves constants and the mean for any ratio", () => {
  const constant = grey(Array.from({ length: 37 }, () => new Array(37).fill(255)));
  assert(resizeArea(constant, 32).data.every((x) => x === 255));
  const ramp = grey(
    Array.from({ length: 37 }, (_, y) => Array.from({ length: 37 }, (_, x) => 3 * x + y)),
  );
  const mean = (data: Uint8Array) => data.reduce((a, b) => a + b, 0) / data.length;
  // Rounding changes each of 1,024 pixels by less than 1/2, standard deviation 0.29. Allow 4 errors of the mean.
  assert(Math.abs(mean(resizeArea(ramp, 32).data) - mean(ramp.data)) < 4 * 0.29 / 32);
});

Deno.test("resizeArea() treats channels separately and returns an image of the target size unchanged", () => {
  const data = Uint8Array.of(10, 200, 20, 100, 30, 0, 40, 100);
  const picture: Picture = { height: 2, width: 2, channels: 2, data };
  assert.deepEqual([...resizeArea(picture, 1).data], [25, 100]);
  assert.equal(resizeArea(picture, 2), picture);
});

Deno.test("centreSquare() crops both ends equally, with an odd remainder below and on the right", () => {
  assert.deepEqual([...centreSquare(grey([[1, 2, 3, 4, 5]])).data], [3]);
  assert.deepEqual([...centreSquare(grey([[1, 2, 3, 4], [5, 6, 7, 8]])).data], [2, 3, 6, 7]);
  assert.deepEqual([...centreSquare(grey([[1, 2, 3, 4]])).data], [2]);
  assert.deepEqual([...centreSquare(grey([[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]])).data], [
    3,
    4,
    5,
    6,
  ]);
});
