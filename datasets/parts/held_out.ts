import { selectImages } from "../../harness/core/image_set.ts";
import { orderKey, shuffledRows } from "../../harness/core/row_order.ts";
import type { Dataset } from "../../harness/core/types.ts";

/** One in this many training images is held out. */
const SHARE = 8;

/**
 * Replaces the test images of `dataset` by an eighth of its training images, for choices that must not see the test
 * images, such as tuning. The name of the data set determines which images are held out. Throws RangeError if `dataset`
 * has fewer than 8 training images, or hides pixels of the test images, which are replaced.
 */
export function heldOut(dataset: Dataset): Dataset {
  const { train: whole } = dataset.counts;
  const test = Math.floor(whole / SHARE);
  const counts = { train: whole - test, test };
  if (dataset.hidden === "test") {
    throw new RangeError(
      `heldout:${dataset.name} would replace the images with hidden pixels: write heldout: after the mask`,
    );
  }
  if (test < 1) {
    throw new RangeError(
      `${dataset.name} must have at least ${SHARE} training images to hold some out, got ${whole}`,
    );
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

/** Seed of the split, chosen unlike the seeds that users give their runs. */
const HELD_OUT_SEED = 0x5e1d;
