import assert from "node:assert/strict";
import { createImageSet } from "../core/image_set.ts";
import { fillHidden } from "./fill_hidden.ts";

const IMAGE = { height: 6, width: 5, channels: 2 };
const SIZE = 30;

/** Two images of ramps, whose pixels `isSeen` shows. */
function ramps(isSeen: (place: number) => boolean, hiddenValue?: number) {
  const seen = Uint8Array.from({ length: 2 * SIZE }, (_, i) => Number(isSeen(i % SIZE)));
  const pixels = Uint8Array.from({ length: 4 * SIZE }, (_, i) => {
    const value = i % 2 === 0 ? 3 * Math.floor(i / 4) : 100;
    return seen[Math.floor(i / 2)] === 1 ? value : hiddenValue ?? value;
  });
  return createImageSet({ image: IMAGE, pixels, seen });
}

Deno.test("fillHidden() keeps seen pixels, and what it fills in does not depend on the hidden ones", () => {
  const isSeen = (place: number) => place % 3 !== 1;
  const [dark, light] = [0, 255].map((value) => fillHidden(ramps(isSeen, value)));
  assert.deepEqual(dark.pixels, light.pixels);
  const set = ramps(isSeen);
  set.seen?.forEach((seen, place) => {
    if (seen === 0) return;
    assert.equal(dark.pixels[2 * place], set.pixels[2 * place]);
    assert.equal(dark.pixels[2 * place + 1], set.pixels[2 * place + 1]);
  });
});

Deno.test("fillHidden() takes weighted means of the pixels nearby, channel by channel", () => {
  // One pixel is hidden, so that its own Gaussian of 1 pixel counts.
  const hidden = 2 * 5 + 2;
  const set = ramps((place) => place !== hidden);
  const { pixels } = fillHidden(set);
  let [sum, mass] = [0, 0];
  for (let y = 0; y < 6; y++) {
    for (let x = 0; x < 5; x++) {
      const [dy, dx] = [Math.abs(y - 2), Math.abs(x - 2)];
      if (dx + dy === 0 || dx > 3 || dy > 3) continue;
      const weight = Math.exp(-0.5 * (dx * dx + dy * dy));
      sum += weight * set.pixels[2 * (5 * y + x)];
      mass += weight;
    }
  }
  assert.equal(pixels[2 * hidden], Math.round(sum / mass));
  assert.equal(pixels[2 * hidden + 1], 100, "the mean of a constant channel");
});

Deno.test("fillHidden() reaches as far as it must, and leaves images alone of which nothing is hidden or seen", () => {
  const corner = fillHidden(ramps((place) => place === 0, 77));
  assert.ok(corner.pixels.subarray(0, 2 * SIZE).every((v, i) => v === (i % 2 === 0 ? 0 : 100)));
  const nothing = ramps(() => false, 77);
  assert.deepEqual(fillHidden(nothing).pixels, nothing.pixels);
  const { seen: _, ...whole } = ramps(() => true);
  assert.equal(fillHidden(whole), whole);
});
