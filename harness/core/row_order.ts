import { foldIn, type Key, keyOf, words } from "./noise.ts";

/** The key of the order of batches: of the seed and the data set alone, so that all methods see the same batches. */
export function orderKey(seed: number, dataset: string): Key {
  return foldIn(foldIn(keyOf(seed), "order"), dataset);
}

/** The order of `count` rows in `epoch`: a Fisher-Yates shuffle by the words of `key` at counter `epoch`. */
export function shuffledRows(key: Key, epoch: number, count: number): Int32Array {
  const rows = Int32Array.from({ length: count }, (_, i) => i);
  const random = words(key, epoch, count);
  for (let i = count - 1; i > 0; i--) {
    // Multiply and shift (Lemire 2019) without rejection: a bias of at most count / 2^32.
    const j = Math.floor(random[i] * 2 ** -32 * (i + 1));
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
  return rows;
}

/** Batches an epoch. A last batch that is not full is dropped: its rows come earlier in another epoch's order. */
export function stepsPerEpoch(trainCount: number, batchSize: number): number {
  return Math.floor(trainCount / batchSize);
}
