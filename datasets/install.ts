import { join } from "node:path";
import { CELEBA_HQ, CELEBA_HQ_HINT, installCelebaHq, isCelebaHqInstalled } from "./celeba_hq.ts";
import { cifar10Source } from "./cifar10.ts";
import { downloadFile } from "./parts/download.ts";
import { fashionMnistSource } from "./fashion_mnist.ts";
import {
  decodedFolder,
  type FileSource,
  isDecoded,
  loadSplit,
  sourceFolder,
} from "./parts/file_dataset.ts";
import { mnistSource } from "./mnist.ts";
import { svhnSource } from "./svhn.ts";

/** Installs a data set into the data folder. */
export interface Installer {
  readonly name: string;
  /** Download size in bytes; null if there is no download. */
  readonly bytes: number | null;
  readonly images: number;
  /** Origin and licence. */
  readonly source: string;
  isInstalled(): Promise<boolean>;
  /** Downloads missing files and decodes them; with `from`, decodes the user's files instead. */
  install(options: InstallOptions): Promise<void>;
}

/** Options of an installation. */
export interface InstallOptions {
  /** A folder, a file or an archive with the files as published. */
  readonly from?: string;
  /** Called with one line for each completed action. */
  readonly log: (line: string) => void;
  /** Called with the progress of a download (in bytes) or a decoding (in images). */
  readonly onProgress: (what: string, done: number, total: number) => void;
}

/** Data sets whose files are downloaded. */
export const FILE_SOURCES: readonly FileSource[] = [
  fashionMnistSource,
  mnistSource,
  svhnSource,
  cifar10Source,
];

/** Installers of all data sets of the table that are not part of the repository. */
export const INSTALLERS: readonly Installer[] = [
  ...FILE_SOURCES.map(fileInstaller),
  {
    name: CELEBA_HQ,
    bytes: null,
    images: 30_000,
    source: CELEBA_HQ_HINT,
    isInstalled: async () => await isCelebaHqInstalled(32) && await isCelebaHqInstalled(64),
    async install({ from, log, onProgress }) {
      if (from === undefined) throw new Error(CELEBA_HQ_HINT);
      await installCelebaHq(from, (count) => onProgress(`${CELEBA_HQ}: decoding`, count, 30_000));
      log(`${CELEBA_HQ}: decoded 30,000 images at 32x32 and 64x64 into ${decodedFolder()}`);
    },
  },
];

/** Finds the installer of a data set, with or without its size. Throws RangeError that lists the known names. */
export function findInstaller(dataset: string): Installer {
  const installer = INSTALLERS.find(({ name }) =>
    name === dataset || `${name}_32` === dataset || `${name}_64` === dataset
  );
  if (!installer) {
    const known = INSTALLERS.map(({ name }) => name).join(", ");
    throw new RangeError(`Unknown data set "${dataset}": known data sets to install are ${known}`);
  }
  return installer;
}

/** Makes the installer of `source`. */
export function fileInstaller(source: FileSource): Installer {
  const files = [...new Set(Object.values(source.files).flat())];
  return {
    name: source.name,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    images: source.counts.train + source.counts.test,
    source: source.source,
    isInstalled: async () => await isDecoded(source, "train") && await isDecoded(source, "test"),
    async install({ from, log, onProgress }) {
      const folder = sourceFolder(source.name);
      for (const file of from === undefined ? files : []) {
        const what = `${source.name}: ${file.name}`;
        const fetched = await downloadFile({ file, path: join(folder, file.name) }, {
          onProgress: (bytes) => onProgress(what, bytes, file.bytes),
        });
        log(`${what}: ${fetched ? `downloaded, ${megabytes(file.bytes)}` : "already downloaded"}`);
      }
      for (const split of ["train", "test"] as const) {
        const { count } = await loadSplit(source, { split, from: from ?? folder });
        log(`${source.name}: ${count} ${split} images decoded into ${decodedFolder()}`);
      }
    },
  };
}

/** Formats bytes such as `182.0 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
