import { join } from "node:path";
import { CELEBA_HQ, CELEBA_HQ_ADVICE, isCelebaHqThere, takeCelebaHq } from "./celeba_hq.ts";
import { cifar10Source } from "./cifar10.ts";
import { downloadFile } from "./parts/download.ts";
import { fashionMnistSource } from "./fashion_mnist.ts";
import {
  decodedFolder,
  type FileSource,
  isDecoded,
  loadPart,
  sourceFolder,
} from "./parts/file_dataset.ts";
import { mnistSource } from "./mnist.ts";
import { svhnSource } from "./svhn.ts";

/** A data set that can be brought into the data folder. */
export interface Installer {
  readonly name: string;
  /** Bytes to download; null where there is no download. */
  readonly bytes: number | null;
  readonly images: number;
  /** Where it comes from, and its licence. */
  readonly source: string;
  isThere(): Promise<boolean>;
  /** Downloads what is missing and decodes it; with `from`, takes the user's own files instead. */
  install(options: InstallOptions): Promise<void>;
}

export interface InstallOptions {
  /** A folder, or one file or archive, with the files as published. */
  readonly from?: string;
  /** Told what was done, a line each. */
  readonly say: (line: string) => void;
  /** Told how far a file or a decoding is. */
  readonly onProgress: (what: string, done: number, total: number) => void;
}

/** Every data set of the table that does not come with the repository. */
export const INSTALLERS: readonly Installer[] = [
  ...[fashionMnistSource, mnistSource, svhnSource, cifar10Source].map(fileInstaller),
  {
    name: CELEBA_HQ,
    bytes: null,
    images: 30_000,
    source: CELEBA_HQ_ADVICE,
    isThere: async () => await isCelebaHqThere(32) && await isCelebaHqThere(64),
    async install({ from, say, onProgress }) {
      if (from === undefined) throw new Error(CELEBA_HQ_ADVICE);
      await takeCelebaHq(from, (count) => onProgress(`${CELEBA_HQ}: decoding`, count, 30_000));
      say(`${CELEBA_HQ}: decoded 30,000 images at 32x32 and 64x64 into ${decodedFolder()}`);
    },
  },
];

/** The installer that a word of the command line names. Throws RangeError that lists the known ones. */
export function findInstaller(word: string): Installer {
  const installer = INSTALLERS.find(({ name }) =>
    name === word || `${name}_32` === word ||
    `${name}_64` === word
  );
  if (!installer) {
    const known = INSTALLERS.map(({ name }) => name).join(", ");
    throw new RangeError(`Unknown data set "${word}": known to this task are ${known}`);
  }
  return installer;
}

/** Brings the files of `source` into the data folder. */
export function fileInstaller(source: FileSource): Installer {
  const files = [...new Set(Object.values(source.files).flat())];
  return {
    name: source.name,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    images: source.counts.train + source.counts.test,
    source: source.source,
    isThere: async () => await isDecoded(source, "train") && await isDecoded(source, "test"),
    async install({ from, say, onProgress }) {
      const folder = sourceFolder(source.name);
      for (const file of from === undefined ? files : []) {
        const what = `${source.name}: ${file.name}`;
        const fetched = await downloadFile({ file, path: join(folder, file.name) }, {
          onProgress: (bytes) => onProgress(what, bytes, file.bytes),
        });
        say(`${what}: ${fetched ? `downloaded, ${megabytes(file.bytes)}` : "is there"}`);
      }
      for (const split of ["train", "test"] as const) {
        const { count } = await loadPart(source, { split, from: from ?? folder });
        say(`${source.name}: ${count} ${split} images decoded into ${decodedFolder()}`);
      }
    },
  };
}

/** `182.0 MB` */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
