import assert from "node:assert/strict";
import { INPUT_SIDE, MODES, preprocess } from "./preprocess.ts";

const AREA = INPUT_SIDE * INPUT_SIDE;

Deno.test("preprocess() maps bytes to [-1, 1] as each implementation does, in separate planes", () => {
  const data = new Uint8Array(AREA * 3);
  for (let i = 0; i < AREA; i++) data.set([0, 128, 255], 3 * i);
  const image = { height: INPUT_SIDE, width: INPUT_SIDE, data }; // the input size, hence not resized
  const ends = {
    tf: [-1, 0, 0.9921875], // (v - 128) / 128, exact
    clean: [-1, 0, 0.9921875],
    "pytorch-fid": [-1, 2 * Math.fround(128 / 255) - 1, 1], // 2 (v / 255) - 1 in float32
  };
  for (const mode of MODES) {
    const planes = preprocess(image, mode);
    assert.equal(planes.length, 3 * AREA);
    for (const [c, expected] of ends[mode].entries()) {
      const plane = planes.subarray(c * AREA, (c + 1) * AREA);
      assert.ok(
        plane.every((v) => Math.abs(v - expected) <= 2 ** -24),
        `${mode} ${c}: ${plane[0]}`,
      );
    }
  }
});

Deno.test("preprocess() resizes by mode: the modes place a step in brightness differently", () => {
  // Two columns, 0 and 255. TensorFlow 1 starts at the left corner, so its ramp is 0 to 255 over the left
  // half and flat over the right; half-pixel bilinear ramps in the middle; bicubic overshoots and is clipped.
  const image = { height: 1, width: 2, data: Uint8Array.of(0, 0, 0, 255, 255, 255) };
  const red = (mode: typeof MODES[number], x: number) => preprocess(image, mode)[x];
  const white = 0.9921875;
  // Position 75 of 299 is 75 * 2 / 299 = 0.502 of the way from 0 to 255.
  assert.ok(Math.abs(red("tf", 75) - (255 * 150 / 299 - 128) / 128) < 1e-6);
  assert.equal(red("tf", 298), white);
  // Position 149, the middle: (149.5) * 2 / 299 - 0.5 = 0.5.
  assert.ok(Math.abs(red("pytorch-fid", 149)) < 1e-6);
  assert.equal(red("pytorch-fid", 0), -1);
  assert.ok(Math.abs(red("clean", 149) - (127.5 - 128) / 128) < 1e-6);
  assert.equal(red("clean", 40), -1); // below 0 before clipping
  assert.equal(red("clean", 258), white);
});
