import assert from "node:assert/strict";
import { fashion4k } from "./fashion_4k.ts";
import { sha256Hex } from "../harness/core/image_set.ts";

// Facts about the original IDX files, computed with python3 (gzip and sums over the bytes, without code of this
// repository). The image at row 9 is the first ankle boot of its split (index 0 in both files). Sums over its rows and
// columns of pixels determine position and orientation.
const FACTS = {
  train: {
    total: 229_322_796,
    rows: { 1: 0, 5: 94, 6: 429, 20: 5355, 29: 0 },
    columns: { 1: 0, 2: 226, 3: 1024, 16: 4018, 28: 3294, 29: 495 },
  },
  test: {
    total: 56_973_981,
    rows: { 1: 0, 5: 0, 6: 0, 20: 3507, 29: 0 },
    columns: { 1: 0, 2: 89, 3: 363, 16: 1343, 28: 1447, 29: 259 },
  },
} as const;

for (const split of ["train", "test"] as const) {
  Deno.test(`fashion4k.load("${split}") returns the images of the original files`, async () => {
    const set = await fashion4k.load(split);
    assert.equal(set.count, fashion4k.counts[split]);
    assert.deepEqual(set.image, { height: 32, width: 32, channels: 1 });
    assert.equal(set.pixels.reduce((sum, value) => sum + value, 0), FACTS[split].total);
    const boot = set.pixels.subarray(9 * 1024, 10 * 1024);
    const sum = (keep: (i: number) => boolean) =>
      boot.reduce((total, value, i) => keep(i) ? total + value : total, 0);
    for (const [y, expected] of Object.entries(FACTS[split].rows)) {
      assert.equal(sum((i) => Math.floor(i / 32) === Number(y)), expected, `row ${y}`);
    }
    for (const [x, expected] of Object.entries(FACTS[split].columns)) {
      assert.equal(sum((i) => i % 32 === Number(x)), expected, `column ${x}`);
    }
  });

  Deno.test(`fashion4k.load("${split}") is balanced in every prefix`, async () => {
    const { labels } = await fashion4k.load(split);
    assert(labels);
    for (const [row, label] of labels.entries()) assert.equal(label, row % 10);
  });
}

Deno.test("fashion4k.files name the files in fixtures", async () => {
  for (const { name, bytes, sha256 } of fashion4k.files) {
    const file = await Deno.readFile(new URL(`../fixtures/${name}`, import.meta.url));
    assert.equal(file.length, bytes);
    assert.equal(sha256Hex(file), sha256);
  }
});
