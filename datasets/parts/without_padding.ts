import { createImageSet, cropImages } from "../../harness/core/image_set.ts";
import type { Dataset, ImageShape } from "../../harness/core/types.ts";

/**
 * The images of `dataset` as published, `size` pixels wide and high, without the border of zeros around them: `fashion_4k@28`.
 * Throws RangeError if the data set has no images of that size.
 */
export function withoutPadding(dataset: Dataset, size: number): Dataset {
  const { name, image, unpadded, ...rest } = dataset;
  const show = ({ height, width }: ImageShape) => `${height}x${width}`;
  if (unpadded === undefined || size !== unpadded.height || size !== unpadded.width) {
    const other = unpadded && `, ${name}@${unpadded.height} those of ${show(unpadded)}`;
    throw new RangeError(
      `Unknown size "@${size}": ${name} has images of ${show(image)}${other ?? ""}`,
    );
  }
  return {
    ...rest,
    name: `${name}@${size}`,
    label: `${dataset.label}, ${show(unpadded)}`,
    image: unpadded,
    load: async (split) => {
      const { pixels, labels } = await dataset.load(split);
      const inner = cropImages(pixels, { from: image, to: unpadded });
      if (sumOf(inner) !== sumOf(pixels)) {
        throw new Error(
          `${name} is not padded with zeros: it has other pixels outside ${show(unpadded)}`,
        );
      }
      return createImageSet({ image: unpadded, pixels: inner, labels });
    },
  };
}

const sumOf = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + byte, 0);
