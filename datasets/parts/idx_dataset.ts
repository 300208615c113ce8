import type { DatasetFile, ImageShape, Split } from "../../harness/core/types.ts";
import type { Decoded } from "./decoded_cache.ts";
import type { FileSource } from "./file_dataset.ts";
import { gunzip, isGzip, readIdx } from "../../harness/formats/idx.ts";
import { padImages, sha256Hex } from "../../harness/core/image_set.ts";

/** A gzipped IDX file. Users may have it repacked or unpacked, so its content has a separate digest. */
export interface IdxFile extends DatasetFile {
  /** SHA-256 of the unpacked file. */
  readonly unpackedSha256: string;
}

/** A data set of four files like those of MNIST. */
export interface IdxParts {
  readonly name: string;
  readonly label: string;
  readonly source: string;
  /** Images and labels of each split. */
  readonly parts: Readonly<Record<Split, { readonly images: IdxFile; readonly labels: IdxFile }>>;
  readonly counts: Readonly<Record<Split, number>>;
}

/** Facts about a published file besides its name. */
type FileFacts = Pick<IdxFile, "bytes" | "sha256" | "unpackedSha256">;

/** The files of a set with MNIST's file names, at `urlPrefix`. */
export function mnistParts(
  urlPrefix: string,
  facts: Readonly<
    Record<"trainImages" | "trainLabels" | "testImages" | "testLabels", FileFacts>
  >,
): IdxParts["parts"] {
  const file = (name: string, facts: FileFacts) => ({ name, url: `${urlPrefix}${name}`, ...facts });
  return {
    train: {
      images: file("train-images-idx3-ubyte.gz", facts.trainImages),
      labels: file("train-labels-idx1-ubyte.gz", facts.trainLabels),
    },
    test: {
      images: file("t10k-images-idx3-ubyte.gz", facts.testImages),
      labels: file("t10k-labels-idx1-ubyte.gz", facts.testLabels),
    },
  };
}

/** Shape of an image in the file. */
const STORED: ImageShape = { height: 28, width: 28, channels: 1 };
/** Shape of an image in the data set; the networks of the paper take 32x32 pixels. */
const PADDED: ImageShape = { height: 32, width: 32, channels: 1 };

/** Classes of MNIST and Fashion-MNIST. */
const CLASS_COUNT = 10;

/** Makes the source of 28x28 grey images in IDX files, gzipped or not, padded to 32x32 with zeros. */
export function idxSource({ parts, ...rest }: IdxParts): FileSource {
  return {
    ...rest,
    image: PADDED,
    unpadded: STORED,
    classCount: CLASS_COUNT,
    files: {
      train: [parts.train.images, parts.train.labels],
      test: [parts.test.images, parts.test.labels],
    },
    definition: "28x28 as published, padded to 32x32 with zeros",
    async decode(split, find): Promise<Decoded> {
      const { images, labels } = parts[split];
      const [pixels, classes] = [
        readIdx(await readIdxFile(images, await find(images))),
        readIdx(await readIdxFile(labels, await find(labels))),
      ];
      return {
        image: PADDED,
        pixels: padImages(pixels.data, { from: STORED, to: PADDED.height }),
        labels: classes.data,
      };
    },
  };
}

/** Reads and checks the unpacked content of `file` at `path`. Throws Error if it is damaged or another file. */
async function readIdxFile(file: IdxFile, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await Deno.readFile(path);
  let content = bytes;
  if (isGzip(bytes)) {
    try {
      content = await gunzip(bytes);
    } catch (cause) {
      throw new Error(`${path} is damaged: its gzip stream cannot be decompressed`, { cause });
    }
  }
  const digest = sha256Hex(content);
  if (digest !== file.unpackedSha256) {
    throw new Error(
      `${path} is not ${file.name}, or is damaged: SHA-256 of its content must be ${file.unpackedSha256}, got ${digest}`,
    );
  }
  return content;
}
