import { Buffer } from "node:buffer";
import { decompress } from "../harness/formats/decompress.ts";
import {
  describeValue,
  type PickleTable,
  type PickleValue,
  unpickle,
} from "../harness/formats/pickle.ts";
import { tarMembers } from "../harness/formats/tar.ts";
import type { Dataset, DatasetFile, Split } from "../harness/core/types.ts";
import type { Decoded } from "./parts/decoded_cache.ts";
import { fileDataset, type FileSource } from "./parts/file_dataset.ts";
import { readSourceFile } from "./parts/source_file.ts";

const URL_PREFIX = "https://www.cs.toronto.edu/~kriz/";

const IMAGE = { height: 32, width: 32, channels: 3 } as const;
const PLANE = IMAGE.height * IMAGE.width;
const BYTES = PLANE * IMAGE.channels;
const CLASS_COUNT = 10;

const BINARY: DatasetFile = {
  name: "cifar-10-binary.tar.gz",
  url: `${URL_PREFIX}cifar-10-binary.tar.gz`,
  bytes: 170_052_171,
  sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
};
const PYTHON: DatasetFile = {
  name: "cifar-10-python.tar.gz",
  bytes: 170_498_071,
  sha256: "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
};

/** Source of CIFAR-10. The Python archive has the same images in the same order as the binary one. */
export const cifar10Source: FileSource = {
  name: "cifar10",
  label: "CIFAR-10",
  source:
    "A. Krizhevsky: Learning multiple layers of features from tiny images, 2009; no licence stated by the author",
  image: IMAGE,
  counts: { train: 50_000, test: 10_000 },
  classCount: CLASS_COUNT,
  files: { train: [BINARY], test: [BINARY] },
  definition: "32x32 as published",
  async decode(split, find) {
    const python = await find(PYTHON).catch(() => null);
    const file = python ? PYTHON : BINARY;
    const path = python ?? await find(BINARY);
    return await readSourceFile(
      { path, file, others: [BINARY, PYTHON] },
      (stream) => decodeCifar10(stream, { split, what: path }),
    );
  },
};

/** CIFAR-10 from the data folder. */
export const cifar10: Dataset = fileDataset(cifar10Source);

/**
 * Decodes a split of CIFAR-10 from the gzipped tar archive in `stream`, binary or Python version: the batches
 * data_batch_1 to _5, in this order, or test_batch. Throws SyntaxError if the archive is broken or incomplete; `what`
 * names it.
 */
export async function decodeCifar10(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  { split, what }: { readonly split: Split; readonly what: string },
): Promise<Decoded> {
  const unpacked = decompress(stream, { format: "gzip", what });
  const batches = new Map<string, Batch>();
  for await (const { name, bytes } of tarMembers(unpacked)) {
    const plain = name.split("/").at(-1) ?? "";
    const batch = /^((?:data|test)_batch(?:_\d)?)(\.bin)?$/.exec(plain);
    if (!batch || batch[1].startsWith("test") !== (split === "test")) continue;
    batches.set(batch[1], batch[2] ? readBinary(bytes, name) : readPickle(bytes, name));
  }
  const expected = split === "test" ? ["test_batch"] : TRAIN_BATCHES;
  const missing = expected.filter((name) => !batches.has(name));
  if (missing.length > 0) throw new SyntaxError(`${what} lacks ${missing.join(", ")}`);
  const ordered = expected.flatMap((name) => batches.get(name) ?? []);
  return {
    image: IMAGE,
    pixels: interleave(Buffer.concat(ordered.map(({ planes }) => planes))),
    labels: new Uint8Array(Buffer.concat(ordered.map(({ labels }) => labels))),
  };
}

const TRAIN_BATCHES = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}`);

/** Planar images [count, 3, 32, 32] and their labels. */
interface Batch {
  readonly planes: Uint8Array;
  readonly labels: Uint8Array;
}

/** Reads records of a label and three planes. */
function readBinary(bytes: Uint8Array, name: string): Batch {
  const record = 1 + BYTES;
  if (bytes.length === 0 || bytes.length % record !== 0) {
    throw new SyntaxError(`${name} must be a multiple of ${record} bytes, got ${bytes.length}`);
  }
  const count = bytes.length / record;
  const planes = new Uint8Array(count * BYTES);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = bytes[i * record];
    planes.set(bytes.subarray(i * record + 1, (i + 1) * record), i * BYTES);
  }
  return checked({ planes, labels }, name);
}

/** Reads a dict with `data`, a uint8 array [count, 3072], and `labels`, a list. */
function readPickle(bytes: Uint8Array, name: string): Batch {
  const { value } = unpickle(bytes, 0, NUMPY);
  if (!(value instanceof Map)) throw new SyntaxError(`${name} is not a pickled dict`);
  const data = arrayOf(value.get("data"));
  const labels = value.get("labels");
  if (!data || !Array.isArray(labels)) {
    throw new SyntaxError(`${name} must have an array "data" and a list "labels"`);
  }
  const planes = Buffer.from(data.elements, "latin1");
  if (planes.length !== labels.length * BYTES) {
    throw new SyntaxError(
      `${name} has ${planes.length} bytes, ${labels.length} images need ${labels.length * BYTES}`,
    );
  }
  return checked({ planes, labels: labelsOf(labels, name) }, name);
}

/** The labels in a pickled list. */
function labelsOf(list: readonly PickleValue[], name: string): Uint8Array {
  return Uint8Array.from(list, (label, i) => {
    if (typeof label === "number" && Number.isInteger(label) && label >= 0 && label <= 255) {
      return label;
    }
    throw new SyntaxError(
      `Label of image ${i} in ${name} must be a class, got ${describeValue(label)}`,
    );
  });
}

function checked(batch: Batch, name: string): Batch {
  const bad = batch.labels.findIndex((label) => label >= CLASS_COUNT);
  if (bad >= 0) {
    throw new SyntaxError(
      `Label of image ${bad} in ${name} must be < ${CLASS_COUNT}, got ${batch.labels[bad]}`,
    );
  }
  return batch;
}

/** A numpy array of uint8 in a pickle; a class, so that it can be distinguished from other objects. */
class NumpyArray {
  /** Elements as a byte string; empty until the array's state has been read. */
  elements = "";
}

/** Globals of numpy's uint8 arrays, which are created empty and then receive shape, type and bytes. */
const NUMPY: PickleTable = {
  globals: {
    "numpy.core.multiarray._reconstruct": () => ({ opaque: new NumpyArray() }),
    "numpy.ndarray": () => null,
    "numpy.dtype": ([type]) => {
      if (type !== "u1") {
        throw new SyntaxError(`array must have type u1, got ${describeValue(type)}`);
      }
      return { opaque: type };
    },
  },
  persistent() {
    throw new SyntaxError("unexpected persistent id");
  },
  build(object, state) {
    const array = arrayOf(object);
    if (!array) return; // a dtype, whose state is the byte order
    const [, , , columnMajor, elements] = Array.isArray(state) ? state : [];
    if (columnMajor !== false || typeof elements !== "string") {
      throw new SyntaxError("an array is not row-major bytes");
    }
    array.elements = elements;
  },
};

function arrayOf(value: PickleValue | undefined): NumpyArray | null {
  if (typeof value !== "object" || value === null || !("opaque" in value)) return null;
  return value.opaque instanceof NumpyArray ? value.opaque : null;
}

/** Converts planar images [count, 3, 32, 32] to [count, 32, 32, 3]. */
function interleave(planes: Uint8Array): Uint8Array {
  const images = new Uint8Array(planes.length);
  for (let start = 0; start < planes.length; start += BYTES) {
    for (let at = 0; at < PLANE; at++) {
      for (let channel = 0; channel < IMAGE.channels; channel++) {
        images[start + at * IMAGE.channels + channel] = planes[start + channel * PLANE + at];
      }
    }
  }
  return images;
}
