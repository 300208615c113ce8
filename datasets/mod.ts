/** The table of data sets. A new one is one file and one line here. @module */
import type { Dataset } from "../harness/types.ts";
import { fashion4k } from "./fashion_4k.ts";
import { fashionMnist } from "./fashion_mnist.ts";
import { mnist } from "./mnist.ts";

/** Data sets by name, in the order of reports. */
export const DATASETS: Readonly<Record<string, Dataset>> = {
  fashion_4k: fashion4k,
  fashion_mnist: fashionMnist,
  mnist,
};

/**
 * The data set that `word` of the command line names. Rejects with a RangeError that lists the known ones.
 */
export function resolveDataset(word: string): Promise<Dataset> {
  if (Object.hasOwn(DATASETS, word)) return Promise.resolve(DATASETS[word]);
  const error = new RangeError(
    `Unknown data set "${word}": known data sets are ${Object.keys(DATASETS).join(", ")}`,
  );
  return Promise.reject(error);
}
