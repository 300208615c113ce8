/**
 * Conformance tests of data sets, as a list for any test runner, like those of methods (`conformance.ts`).
 *
 * @module
 */
import assert from "node:assert/strict";
import { bytesPerImage, sha256Hex } from "../core/image_set.ts";
import type { Dataset, Split } from "../core/types.ts";
import type { ConformanceTest } from "./conformance.ts";

const SPLITS: readonly Split[] = ["train", "test"];

/** The tests of `dataset`, which must be installed. */
export function datasetConformanceOf(dataset: Dataset): ConformanceTest[] {
  return Object.entries(TESTS).map(([criterion, test]) => ({
    name: `${dataset.name}: ${criterion}`,
    run: async () => await test(dataset),
  }));
}

const TESTS: Readonly<Record<string, (dataset: Dataset) => void | Promise<void>>> = {
  "facts are complete": ({ name, label, source, image, counts }) => {
    assert.match(name, /^[a-z][a-z0-9_]*$/, "name");
    assert.ok(label.trim() !== "", "label");
    assert.ok(source.trim() !== "", "source");
    for (const [what, value] of Object.entries({ ...image, ...counts })) {
      assert.ok(Number.isInteger(value) && value > 0, `${what} is ${value}`);
    }
  },

  "load() gives as many images of the shape as the facts say, with their digest": async (
    dataset,
  ) => {
    for (const split of SPLITS) {
      const { image, count, pixels, labels, sha256 } = await dataset.load(split);
      assert.deepEqual(image, dataset.image, `${split}: image`);
      assert.equal(count, dataset.counts[split], `${split}: count`);
      assert.equal(pixels.length, count * bytesPerImage(image), `${split}: bytes of pixels`);
      assert.equal(sha256, sha256Hex(pixels), `${split}: sha256 of the pixels`);
      if (labels) assert.equal(labels.length, count, `${split}: labels`);
    }
  },

  "load() gives the same pixels again": async (dataset) => {
    for (const split of SPLITS) {
      const [first, again] = [await dataset.load(split), await dataset.load(split)];
      assert.equal(again.sha256, first.sha256, split);
    }
  },

  "images differ, and the test images are not the training images": async (dataset) => {
    const [train, test] = [await dataset.load("train"), await dataset.load("test")];
    assert.ok(new Set(train.pixels).size > 1, "all pixels of all training images are equal");
    assert.notEqual(test.sha256, train.sha256);
  },
};
