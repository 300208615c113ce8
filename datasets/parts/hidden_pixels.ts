import type { Hiding } from "../../harness/core/dataset_name.ts";
import { createImageSet } from "../../harness/core/image_set.ts";
import { foldIn, type Key, keyOf, words } from "../../harness/core/noise.ts";
import { shuffledRows } from "../../harness/core/row_order.ts";
import type { Dataset, ImageShape, Split } from "../../harness/core/types.ts";

/** Which pixels of the image `row` are hidden: writes 0 for them into `seen` [height * width], all 1 before. */
type Hide = (seen: Uint8Array, key: Key, row: number) => void;

/** Kinds of masks by name: a share of the pixels, as a function of the image's shape. Each throws RangeError if it hides none or all. */
const MASKS: Readonly<Record<string, (share: number, image: ImageShape) => Hide>> = {
  /** Pixels at random places. */
  pixels(share, { height, width }) {
    const count = Math.round(share * height * width);
    refuseNoneOrAll(count, height * width);
    return (seen, key, row) => {
      for (const pixel of shuffledRows(key, row, seen.length).subarray(0, count)) seen[pixel] = 0;
    };
  },
  /** A block of the shape of the image, at a random place. */
  block(share, { height, width }) {
    const [tall, wide] = [height, width].map((side) => Math.round(Math.sqrt(share) * side));
    refuseNoneOrAll(tall * wide, height * width);
    return (seen, key, row) => {
      const [top, left] = words(key, row, 2);
      const at = (word: number, places: number) => Math.floor(word * 2 ** -32 * places);
      const [y, x] = [at(top, height - tall + 1), at(left, width - wide + 1)];
      for (let line = y; line < y + tall; line++) {
        seen.fill(0, line * width + x, line * width + x + wide);
      }
    };
  },
};

function refuseNoneOrAll(hidden: number, all: number): void {
  if (hidden > 0 && hidden < all) return;
  throw new RangeError(`it hides ${hidden === 0 ? "no pixel" : "every pixel"} of ${all}`);
}

/**
 * Hides pixels of `dataset`: of its test images, to be filled in after training on whole images (`inpaint`), or of its training
 * images, to be learned from without them (`recover`). `mask` is `pixels-SHARE` or `block-SHARE`. Which pixels are hidden
 * depends on the name of the data set, the mask and the image alone, so that it is the same for all methods and seeds. Throws
 * RangeError for an unknown mask, or one that hides none or all of the pixels.
 */
export function withHiddenPixels(dataset: Dataset, { task, mask }: Omit<Hiding, "base">): Dataset {
  const hide = parseMask(mask, dataset.image);
  const hidden: Split = task === "inpaint" ? "test" : "train";
  const key = [mask, dataset.name].reduce<Key>(foldIn, keyOf(MASK_SEED));
  const { height, width } = dataset.image;
  const size = height * width;
  return {
    ...dataset,
    name: `${task}:${mask}:${dataset.name}`,
    label: `${dataset.label}, ${task} ${mask}`,
    hidden,
    load: async (split) => {
      const set = await dataset.load(split);
      if (split !== hidden) return set;
      const seen = new Uint8Array(set.count * size).fill(1);
      for (let row = 0; row < set.count; row++) {
        hide(seen.subarray(row * size, (row + 1) * size), key, row);
      }
      return createImageSet({ ...set, seen });
    },
  };
}

/** The seed of all masks, chosen unlike the seeds that users give their runs. */
const MASK_SEED = 0x3a5c;

function parseMask(mask: string, image: ImageShape): Hide {
  const [, kind, text] = /^([^-]+)-(.+)$/.exec(mask) ?? [];
  if (kind === undefined || !Object.hasOwn(MASKS, kind)) {
    const known = Object.keys(MASKS).map((name) => `${name}-SHARE`).join(", ");
    throw new RangeError(`Unknown mask "${mask}": known masks are ${known}`);
  }
  const share = Number(text);
  if (!(share > 0 && share < 1)) {
    throw new RangeError(`The hidden share of "${mask}" must be in (0, 1), got ${text}`);
  }
  try {
    return MASKS[kind](share, image);
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`Mask "${mask}": ${error.message}`);
    throw error;
  }
}
