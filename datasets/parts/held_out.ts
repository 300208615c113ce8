import { bytesPerImage, createImageSet } from "../../harness/core/image_set.ts";
import { orderKey, shuffledRows } from "../../harness/core/row_order.ts";
import type { Dataset, ImageSet } from "../../harness/core/types.ts";

/** The share of the training images that is held out: one in eight. */
const SHARE = 8;

/**
 * `dataset` without its test part: an eighth of the training images, drawn once for all by the name of the set, stands for
 * it. For choices that must not see the test images, such as tuning.
 */
export function heldOut(dataset: Dataset): Dataset {
  const { train: whole } = dataset.counts;
  const test = Math.floor(whole / SHARE);
  const counts = { train: whole - test, test };
  if (test < 1) {
    throw new RangeError(`${dataset.name} has ${whole} training images: too few to hold some out`);
  }
  return {
    ...dataset,
    name: `heldout:${dataset.name}`,
    label: `${dataset.label}, held out`,
    counts,
    load: async (split) => {
      const set = await dataset.load("train");
      const order = shuffledRows(orderKey(HELD_OUT_SEED, dataset.name), 0, set.count);
      const rows = split === "train" ? order.subarray(test) : order.subarray(0, test);
      return selectImages(set, rows.toSorted());
    },
  };
}

/** The seed of the split: not one of those that users give their runs. */
const HELD_OUT_SEED = 0x5e1d;

/** The images `rows` of `set`. */
function selectImages(set: ImageSet, rows: Int32Array): ImageSet {
  const size = bytesPerImage(set.image);
  const pixels = new Uint8Array(rows.length * size);
  rows.forEach((row, i) => pixels.set(set.pixels.subarray(row * size, (row + 1) * size), i * size));
  const { labels } = set;
  return createImageSet({
    image: set.image,
    pixels,
    ...labels && { labels: Uint8Array.from(rows, (row) => labels[row]) },
  });
}
