import { foldIn, type Key, keyOf, words } from "./noise.ts";

/** Key of the order of batches. It depends only on seed and data set, so that all methods see the same batches. */
export function orderKey(seed: number, dataset: string): Key {
  return foldIn(foldIn(keyOf(seed), "order"), dataset);
}

/** Order of `count` rows in `epoch`: a Fisher-Yates shuffle with the random words of `key` at counter `epoch`. */
export function shuffledRows(key: Key, epoch: number, count: number): Int32Array {
  const rows = Int32Array.from({ length: count }, (_, i) => i);
  const random = words(key, epoch, count);
  for (let i = count - 1; i > 0; i--) {
    // Multiply and shift (Lemire 2019) without rejection; the bias is at most count / 2^32.
    const j = Math.floor(random[i] * 2 ** -32 * (i + 1));
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
  return rows;
}

/** Number of batches per epoch. A partial last batch is dropped; its rows come earlier in the order of other epochs. */
export function stepsPerEpoch(trainCount: number, batchSize: number): number {
  return Math.floor(trainCount / batchSize);
}
