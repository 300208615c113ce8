import assert from "node:assert/strict";
import { fashion4k } from "../fashion_4k.ts";
import { resolveDataset } from "../mod.ts";

Deno.test("inpaint: hides pixels of the test images alone, recover: of the training images, each its own", async () => {
  for (
    const [task, hidden, other] of [["inpaint", "test", "train"], ["recover", "train", "test"]]
  ) {
    const name = `${task}:pixels-0.3:fashion_4k`;
    const dataset = await resolveDataset(name);
    assert.deepEqual([dataset.name, dataset.hidden], [name, hidden]);
    assert.equal((await dataset.load(other as "train")).seen, undefined);
    const set = await dataset.load(hidden as "test");
    const whole = await fashion4k.load(hidden as "test");
    assert.deepEqual([set.pixels, set.labels, set.sha256], [
      whole.pixels,
      whole.labels,
      whole.sha256,
    ]);
    const masks = [0, 1, 2].map((row) => set.seen?.subarray(row * 1024, (row + 1) * 1024));
    for (const mask of masks) {
      assert.equal(mask?.reduce((sum, seen) => sum + seen, 0), 1024 - Math.round(0.3 * 1024));
    }
    assert.notDeepEqual(masks[0], masks[1]);
    if (hidden === "train") continue; // slow, and the same code
    assert.deepEqual((await dataset.load("test")).seen, set.seen, "another mask each time");
  }
});

Deno.test("block-SHARE hides a block of about that share, anywhere in the image", async () => {
  const { seen } = await (await resolveDataset("inpaint:block-0.25:fashion_4k")).load("test");
  assert.ok(seen !== undefined);
  const corners = Array.from({ length: 1000 }, (_, row) => {
    const places = [...seen.subarray(row * 1024, (row + 1) * 1024).keys()]
      .filter((i) => seen[row * 1024 + i] === 0);
    const [top, left] = [Math.floor(places[0] / 32), places[0] % 32];
    const block = Array.from(
      { length: 256 },
      (_, i) => (top + Math.floor(i / 16)) * 32 + left + i % 16,
    );
    assert.deepEqual(places, block);
    return [top, left];
  });
  for (const axis of [0, 1]) {
    const places = corners.map((corner) => corner[axis]);
    assert.deepEqual([Math.min(...places), Math.max(...places)], [0, 16]);
    // Uniform on 17 places: variance 24, so that the mean of 1000 has a standard error of 0.155.
    const mean = places.reduce((a, b) => a + b) / places.length;
    assert.ok(Math.abs(mean - 8) < 4 * 0.155, `mean ${mean}`);
  }
});

Deno.test("a bad mask is one line that says what is wrong", async () => {
  for (
    const [name, message] of [
      [
        "inpaint:pixels-1.5:fashion_4k",
        /^The hidden share of "pixels-1.5" must be in \(0, 1\), got 1.5$/,
      ],
      ["inpaint:pixels-0:fashion_4k", /must be in \(0, 1\), got 0$/],
      ["recover:block-x:fashion_4k", /must be in \(0, 1\), got x$/],
      ["recover:0.5:fashion_4k", /^Unknown mask "0.5": known masks are pixels-SHARE, block-SHARE$/],
      ["recover:toString-0.5:fashion_4k", /^Unknown mask "toString-0.5"/],
      ["inpaint:pixels-0.0001:fashion_4k", /^Mask "pixels-0.0001": it hides no pixel of 1024$/],
      ["inpaint:block-0.999:fashion_4k", /^Mask "block-0.999": it hides every pixel of 1024$/],
      ["inpaint:pixels-0.5:fashion", /^Unknown data set "fashion"/],
      [
        "heldout:inpaint:pixels-0.5:fashion_4k",
        /^heldout:inpaint:.* would replace the images with hidden pixels: write heldout: after the mask$/,
      ],
    ] as const
  ) {
    await assert.rejects(resolveDataset(name), { name: "RangeError", message });
  }
});
