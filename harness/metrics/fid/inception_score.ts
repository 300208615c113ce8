import type { FeatureTable } from "./feature_table.ts";
import { type Spread, spread } from "./kid.ts";

/** Number of splits of the images, as in the code of Salimans et al. */
export const INCEPTION_SCORE_SPLITS = 10;

/**
 * Inception Score (Salimans et al. 2016, "Improved techniques for training GANs", arXiv:1606.03498, section 4): exp of
 * the mean KL divergence of p(class | image) from its mean over the images, for each of `splits` splits of the images in
 * the order `order`, which must not be sorted by class. `logits` exclude the bias of the last layer, as in the original
 * code. Float64. The score is not meaningful for images unlike ImageNet's, such as faces or digits. Throws RangeError for
 * fewer images than splits.
 */
export function inceptionScore(
  logits: FeatureTable,
  { order, splits = INCEPTION_SCORE_SPLITS }: {
    readonly order: ArrayLike<number>;
    readonly splits?: number;
  },
): Spread {
  const { dim, count, data } = logits;
  if (count < splits) {
    throw new RangeError(
      `Inception Score with ${splits} splits needs at least ${splits} images, got ${count}`,
    );
  }
  const scores: number[] = [];
  for (let split = 0; split < splits; split++) {
    const start = Math.floor(split * count / splits);
    const end = Math.floor((split + 1) * count / splits);
    const marginal = new Float64Array(dim);
    let negativeEntropy = 0; // sum of p log p over images and classes
    for (let i = start; i < end; i++) {
      const row = data.subarray(order[i] * dim, (order[i] + 1) * dim);
      const logNormalizer = logSumExp(row);
      for (let c = 0; c < dim; c++) {
        const logP = row[c] - logNormalizer, p = Math.exp(logP);
        marginal[c] += p;
        negativeEntropy += p * logP;
      }
    }
    const n = end - start;
    const crossEntropy = marginal.reduce((sum, p) => p > 0 ? sum + p * Math.log(p / n) : sum, 0);
    scores.push(Math.exp((negativeEntropy - crossEntropy) / n));
  }
  return spread(scores);
}

function logSumExp(row: Float32Array): number {
  const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return most + Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0));
}
