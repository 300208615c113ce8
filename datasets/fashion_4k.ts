import sharp from "sharp";
import type { Dataset, DatasetFile, ImageSet, Split } from "../harness/core/types.ts";
import { bytesPerImage, createImageSet, padImages } from "../harness/core/image_set.ts";

/** Number of classes of Fashion-MNIST. */
export const CLASS_COUNT = 10;
/** Images per row of the mosaic: 50 x 28 = 1400 pixels; each class fills whole rows. */
export const MOSAIC_COLUMNS = 50;

const STORED = { height: 28, width: 28, channels: 1 } as const;
const PADDED = { height: 32, width: 32, channels: 1 } as const;
const COUNTS: Readonly<Record<Split, number>> = { train: 4_000, test: 1_000 };

/** The mosaics; `pixelsSha256` is the hash of the decoded, padded images in the order of the set. */
const MOSAICS: Readonly<Record<Split, DatasetFile & { readonly pixelsSha256: string }>> = {
  train: {
    name: "fashion_4k_train.webp",
    bytes: 1_525_702,
    sha256: "961320560cb18bbe0a5fca7a0cb7555ff0822b37870cceba6394c978373ced84",
    pixelsSha256: "0535f9a42d15458583677431bc74ad0dd0fe7facd7a415839947c58479cf5178",
  },
  test: {
    name: "fashion_4k_test.webp",
    bytes: 377_808,
    sha256: "091c7d27c44f9737aa74f4e3bf7a7746294efcf8627e4e975fc4881e47facdae",
    pixelsSha256: "c3b3213f33a08b609d8b307ac3e8098de3eba478daf09028dcb967948634f134",
  },
};

/**
 * A subset of Fashion-MNIST that is part of the repository: the first 400 training and the first 100 test images of each
 * class, padded to 32x32 with zeros. The order cycles through the classes: row i is the floor(i / 10)-th image of class
 * i mod 10, so that every prefix is balanced.
 */
export const fashion4k: Dataset = {
  name: "fashion_4k",
  label: "Fashion-MNIST 4k",
  source:
    "First 400 + 100 images of each class of Fashion-MNIST (H. Xiao, K. Rasul, R. Vollgraf, arXiv 1708.07747; MIT licence); fixtures/make_fashion_4k.ts",
  image: PADDED,
  unpadded: STORED,
  counts: COUNTS,
  classCount: CLASS_COUNT,
  files: [MOSAICS.train, MOSAICS.test],
  load: loadMosaic,
};

async function loadMosaic(split: Split): Promise<ImageSet> {
  const { name, pixelsSha256 } = MOSAICS[split];
  const encoded = await Deno.readFile(new URL(`../fixtures/${name}`, import.meta.url));
  // The file has only grey values, but WebP decodes to RGB; b-w recovers one channel exactly.
  const { data } = await sharp(encoded).toColourspace("b-w").raw()
    .toBuffer({ resolveWithObject: true });
  const set = createImageSet({
    image: PADDED,
    pixels: padImages(cutMosaic(data, COUNTS[split]), { from: STORED, to: PADDED.height }),
    labels: Uint8Array.from({ length: COUNTS[split] }, (_, row) => row % CLASS_COUNT),
  });
  if (set.sha256 !== pixelsSha256) {
    throw new Error(
      `Pixels of fixtures/${name} must have SHA-256 ${pixelsSha256}, got ${set.sha256}: restore the file from the repository`,
    );
  }
  return set;
}

/** Offset in the mosaic of the top left pixel of the image at `row` of a set of `count` images. */
export function mosaicOffset(row: number, count: number): number {
  const cell = (row % CLASS_COUNT) * (count / CLASS_COUNT) + Math.floor(row / CLASS_COUNT);
  const y = Math.floor(cell / MOSAIC_COLUMNS) * STORED.height;
  return (y * MOSAIC_COLUMNS + cell % MOSAIC_COLUMNS) * STORED.width;
}

/** Cuts a mosaic, which is sorted by class, into images [count, 28, 28, 1] in the order of the set. */
function cutMosaic(mosaic: Uint8Array, count: number): Uint8Array {
  const images = new Uint8Array(count * bytesPerImage(STORED));
  const stride = MOSAIC_COLUMNS * STORED.width;
  for (let row = 0; row < count; row++) {
    const offset = mosaicOffset(row, count);
    for (let y = 0; y < STORED.height; y++) {
      const line = mosaic.subarray(offset + y * stride, offset + y * stride + STORED.width);
      images.set(line, row * bytesPerImage(STORED) + y * STORED.width);
    }
  }
  return images;
}
