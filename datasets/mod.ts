/** The table of data sets. A new one is one file and one line here. @module */
import { userPath } from "../harness/core/project.ts";
import type { Dataset } from "../harness/core/types.ts";
import { celebaHq32, celebaHq64 } from "./celeba_hq.ts";
import { cifar10 } from "./cifar10.ts";
import { fashion4k } from "./fashion_4k.ts";
import { fashionMnist } from "./fashion_mnist.ts";
import { decodedFolder } from "./parts/file_dataset.ts";
import { heldOut } from "./parts/held_out.ts";
import { mnist } from "./mnist.ts";
import { pictureDataset } from "./parts/picture_dataset.ts";
import { svhn } from "./svhn.ts";

/** Data sets by name, in the order of reports. */
export const DATASETS: Readonly<Record<string, Dataset>> = {
  fashion_4k: fashion4k,
  fashion_mnist: fashionMnist,
  mnist,
  svhn,
  cifar10,
  celeba_hq_32: celebaHq32,
  celeba_hq_64: celebaHq64,
};

/** Before the name of a data set: a part of its training images stands for its test part. */
export const HELD_OUT = "heldout:";

/** Words for data sets of the user's own pictures. */
export const DATASET_FORMS = ["folder:PATH[@32|@64]", "archive:FILE[@32|@64]"] as const;

/**
 * The data set that `word` of the command line names: a name of the table, `folder:PATH` or `archive:FILE`,
 * these with `@64` behind for 64x64 pixels instead of 32x32. Pictures of the user are decoded now, unless
 * an earlier call kept them. Rejects with a RangeError that lists the known words, or an Error that names
 * the file that cannot be used.
 */
export async function resolveDataset(word: string): Promise<Dataset> {
  if (Object.hasOwn(DATASETS, word)) return DATASETS[word];
  if (word.startsWith(HELD_OUT)) return heldOut(await resolveDataset(word.slice(HELD_OUT.length)));
  const own = /^(folder|archive):(.+?)(?:@(32|64))?$/.exec(word);
  if (!own) {
    const known = [...Object.keys(DATASETS), ...DATASET_FORMS].join(", ");
    throw new RangeError(`Unknown data set "${word}": known data sets are ${known}`);
  }
  const [, form, given, size = "32"] = own;
  const path = userPath(given);
  await checkForm(form, path);
  return await pictureDataset(path, { word, size: Number(size), folder: decodedFolder() });
}

/** Throws when `path` is not what the word says. */
async function checkForm(form: string, path: string): Promise<void> {
  let isDirectory: boolean;
  try {
    ({ isDirectory } = await Deno.stat(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const hint = /@\d+$/.test(path) ? ": sizes are @32 and @64" : "";
    throw new Error(`There is no ${form} ${path}${hint}`, { cause: error });
  }
  if (isDirectory !== (form === "folder")) {
    const other = isDirectory ? "a folder: write folder:" : "no folder: write archive:";
    throw new Error(`${path} is ${other}${path}`);
  }
}
