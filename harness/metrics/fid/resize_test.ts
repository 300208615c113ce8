import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import golden from "../../../fixtures/fid/resize.json" with { type: "json" };
import { resizeHalfPixel, resizePillowBicubic, resizeTensorflow1 } from "./resize.ts";

function floats(text: string): Float32Array {
  return new Float32Array(Uint8Array.fromBase64(text).buffer);
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

/** Half the gap between float32 numbers below 256. */
const FLOAT32_AT_255 = 2 ** -17;

for (const { from, to, pixels, tf, torch, pillow, tf299 } of golden.cases) {
  const image = { height: from[0], width: from[1], data: Uint8Array.fromBase64(pixels) };
  const size = { height: to[0], width: to[1] };

  Deno.test(`resizeTensorflow1() is bit-exact with TensorFlow 1: ${from} to ${to}`, () => {
    assert.deepEqual(resizeTensorflow1(image, size), floats(tf));
    const large = resizeTensorflow1(image, { height: 299, width: 299 });
    assert.equal(createHash("sha256").update(new Uint8Array(large.buffer)).digest("hex"), tf299);
  });

  Deno.test(`resizeHalfPixel() agrees with torch's interpolate: ${from} to ${to}`, () => {
    // torch rounds each of six products and sums to float32.
    const difference = largestDifference(resizeHalfPixel(image, size), floats(torch));
    assert.ok(difference <= 6 * FLOAT32_AT_255, `${difference}`);
  });

  Deno.test(`resizePillowBicubic() agrees with Pillow: ${from} to ${to}`, () => {
    // Both round once per pass; the weights agree to 1e-15. Each pass may differ by one float32 step.
    const difference = largestDifference(resizePillowBicubic(image, size), floats(pillow));
    assert.ok(difference <= 2 * 2 * FLOAT32_AT_255, `${difference}`);
  });
}

Deno.test("every resize preserves an image of the target size and a constant image", () => {
  const data = Uint8Array.from({ length: 4 * 5 * 3 }, (_, i) => (i * 97) % 256);
  const grey = new Uint8Array(7 * 2 * 3).fill(200);
  for (const resize of [resizeTensorflow1, resizeHalfPixel, resizePillowBicubic]) {
    const same = resize({ height: 4, width: 5, data }, { height: 4, width: 5 });
    assert.deepEqual(same, Float32Array.from(data));
    const other = resize({ height: 7, width: 2, data: grey }, { height: 5, width: 6 });
    assert.ok(other.every((v) => Math.abs(v - 200) < 1e-4)); // weights sum to 1 up to rounding
  }
});
