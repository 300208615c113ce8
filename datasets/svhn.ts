import type { Dataset, DatasetFile, Split } from "../harness/core/types.ts";
import type { Decoded } from "./parts/decoded_cache.ts";
import { fileDataset, type FileSource } from "./parts/file_dataset.ts";
import { type MatArray, readMat5 } from "../harness/formats/mat5.ts";
import { type KnownFile, readSourceFile } from "./parts/source_file.ts";

const URL_PREFIX = "http://ufldl.stanford.edu/housenumbers/";

const IMAGE = { height: 32, width: 32, channels: 3 } as const;
const BYTES = IMAGE.height * IMAGE.width * IMAGE.channels;

const FILES: Readonly<Record<Split, DatasetFile>> = {
  train: {
    name: "train_32x32.mat",
    url: `${URL_PREFIX}train_32x32.mat`,
    bytes: 182_040_794,
    sha256: "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
  },
  test: {
    name: "test_32x32.mat",
    url: `${URL_PREFIX}test_32x32.mat`,
    bytes: 64_275_384,
    sha256: "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
  },
};
const OTHERS: readonly KnownFile[] = [
  FILES.train,
  FILES.test,
  { name: "extra_32x32.mat", bytes: 1_329_278_602 },
];

/** Source of SVHN. */
export const svhnSource: FileSource = {
  name: "svhn",
  label: "SVHN",
  source:
    "Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu, A. Ng: Reading digits in natural images with unsupervised feature learning, 2011, cropped digits; for non-commercial use only",
  image: IMAGE,
  counts: { train: 73_257, test: 26_032 },
  classCount: 10,
  files: { train: [FILES.train], test: [FILES.test] },
  definition: "32x32 crops as published; label 10 is digit 0",
  decode: (split, find) => decodeFile(FILES[split], find),
};

/** Street View House Numbers: the cropped digits of 32x32 pixels, from the data folder. */
export const svhn: Dataset = fileDataset(svhnSource);

async function decodeFile(
  file: DatasetFile,
  find: (file: DatasetFile) => Promise<string>,
): Promise<Decoded> {
  const path = await find(file);
  return await readSourceFile(
    { path, file, others: OTHERS },
    (stream) => decodeSvhn(stream, path),
  );
}

/**
 * Decodes images and labels of an SVHN MAT-file: array X [32, 32, 3, count] uint8 and array y [count, 1], both
 * column-major, so that rows vary fastest, then columns, then channels. Label 10 becomes 0. Throws SyntaxError if the
 * file is broken or another one; `what` names it.
 */
export async function decodeSvhn(
  stream: ReadableStream<Uint8Array>,
  what: string,
): Promise<Decoded> {
  let pixels: Uint8Array | undefined;
  let labels: Uint8Array | undefined;
  for await (const array of readMat5(stream, what)) {
    if (array.name === "X") pixels = await readImages(array, what);
    if (array.name === "y") labels = await readLabels(array, what);
  }
  if (!pixels || !labels) {
    throw new SyntaxError(
      `${what} lacks the array ${pixels ? "y" : "X"}: not a file of SVHN's cropped digits`,
    );
  }
  if (pixels.length !== labels.length * BYTES) {
    throw new SyntaxError(
      `${what} must have one label per image, got ${
        pixels.length / BYTES
      } images and ${labels.length} labels`,
    );
  }
  return { image: IMAGE, pixels, labels };
}

async function readImages({ shape, type, pieces }: MatArray, what: string): Promise<Uint8Array> {
  const [height, width, channels, count = 1] = shape;
  const fits = height === IMAGE.height && width === IMAGE.width && channels === IMAGE.channels;
  if (!fits || type !== "uint8") {
    throw new SyntaxError(
      `Array X of ${what} must be uint8 [32, 32, 3, n], got ${type} [${shape}]`,
    );
  }
  const images = new Uint8Array(count * BYTES);
  let at = 0; // position in the file: row + 32 column + 1024 channel + 3072 image
  for await (const piece of pieces) {
    for (let i = 0; i < piece.length; i++, at++) {
      const within = at % BYTES;
      const row = within % 32;
      const column = (within >> 5) % 32;
      images[at - within + (row * 32 + column) * 3 + (within >> 10)] = piece[i];
    }
  }
  return images;
}

async function readLabels(array: MatArray, what: string): Promise<Uint8Array> {
  const labels: number[] = [];
  for (const value of await numbersOf(array)) {
    if (!Number.isInteger(value) || value < 1 || value > 10) {
      throw new SyntaxError(
        `Label of image ${labels.length} in ${what} must be in 1..10, got ${value}`,
      );
    }
    labels.push(value % 10);
  }
  return Uint8Array.from(labels);
}

/** Reads all elements of a small array as numbers. */
async function numbersOf(
  { type, pieces }: MatArray,
): Promise<ArrayLike<number> & Iterable<number>> {
  const bytes = await new Response(ReadableStream.from(pieces)).arrayBuffer();
  switch (type) {
    case "int8":
      return new Int8Array(bytes);
    case "uint8":
      return new Uint8Array(bytes);
    case "int16":
      return new Int16Array(bytes);
    case "uint16":
      return new Uint16Array(bytes);
    case "int32":
      return new Int32Array(bytes);
    case "uint32":
      return new Uint32Array(bytes);
    case "double":
      return new Float64Array(bytes);
  }
}
