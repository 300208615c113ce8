import assert from "node:assert/strict";
import { cropImages, padImages } from "../../harness/core/image_set.ts";
import { fashion4k } from "../fashion_4k.ts";
import { DATASETS, isMade, resolveDataset, wholeName } from "../mod.ts";
import { withoutPadding } from "./without_padding.ts";

const SMALL = { height: 28, width: 28, channels: 1 };

Deno.test("resolveDataset() of NAME@28 has the images without their padding, and nothing is lost", async () => {
  const dataset = await resolveDataset("fashion_4k@28");
  assert.deepEqual(
    [dataset.name, dataset.image, dataset.counts, dataset.classCount, dataset.unpadded],
    ["fashion_4k@28", SMALL, fashion4k.counts, 10, undefined],
  );
  for (const split of ["train", "test"] as const) {
    const [native, padded] = await Promise.all([dataset.load(split), fashion4k.load(split)]);
    assert.deepEqual(native.image, SMALL);
    assert.deepEqual(padImages(native.pixels, { from: SMALL, to: 32 }), padded.pixels);
    assert.deepEqual(native.labels, padded.labels);
    assert.notEqual(native.sha256, padded.sha256);
  }
});

Deno.test("NAME@28 stands wherever the name of a data set may", async () => {
  const without = await resolveDataset("fashion_4k@28-3");
  assert.deepEqual(
    [without.name, without.anomaly, without.image, without.counts.train],
    ["fashion_4k@28-3", 3, SMALL, 3600],
  );
  const heldOut = await resolveDataset("heldout:fashion_4k@28");
  assert.deepEqual([heldOut.image, (await heldOut.load("test")).image], [SMALL, SMALL]);
  const hidden = await (await resolveDataset("inpaint:block-0.3:fashion_4k@28")).load("test");
  assert.deepEqual([hidden.image, hidden.seen?.length], [SMALL, 1000 * 28 * 28]);
  for (const name of ["fashion_4k@28", "heldout:fashion_4k@28", "fashion_4k@28-3"]) {
    assert.ok(isMade(name), name);
    assert.equal(wholeName(name), "fashion_4k", name);
  }
});

Deno.test("every data set that says it is padded has a border of zeros, and no other takes a size", async () => {
  const padded = Object.values(DATASETS).filter(({ unpadded }) => unpadded !== undefined);
  assert.deepEqual(padded.map(({ name }) => name), ["fashion_4k", "fashion_mnist", "mnist"]);
  const { pixels } = await fashion4k.load("train");
  const inner = cropImages(pixels, { from: fashion4k.image, to: SMALL });
  const sum = (bytes: Uint8Array) => bytes.reduce((a, b) => a + b, 0);
  assert.equal(sum(inner), sum(pixels));
  const refusals = [
    ["svhn@28", /^RangeError: Unknown size "@28": svhn has images of 32x32$/],
    [
      "fashion_4k@64",
      /^RangeError: Unknown size "@64": fashion_4k has images of 32x32, fashion_4k@28 those of 28x28$/,
    ],
    ["fashion_4k@32", /^RangeError: Unknown size "@32"/],
    ["fashion_5k@28", /^RangeError: Unknown data set "fashion_5k@28"/],
  ] as const;
  const narrow = { ...fashion4k, unpadded: { height: 20, width: 20, channels: 1 } };
  await assert.rejects(
    withoutPadding(narrow, 20).load("test"),
    /^Error: fashion_4k is not padded with zeros: it has other pixels outside 20x20$/,
  );
  for (const [name, message] of refusals) await assert.rejects(resolveDataset(name), message);
});
