import type { FeatureTable } from "./feature_table.ts";
import { type Spread, spread } from "./kid.ts";

/** Parts that the images are scored in, as in Salimans et al.'s code. */
export const INCEPTION_SCORE_SPLITS = 10;

/**
 * Inception Score (Salimans et al. 2016, "Improved techniques for training GANs", arXiv:1606.03498, 4):
 * exp of the mean KL divergence of p(class | image) from the mean over the images, in `splits` parts of the
 * images in the order `order`, which must not be sorted by class. `logits` are without the bias of the
 * last layer, as in the original code. Float64. It says nothing for images unlike ImageNet's: faces, digits.
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
    throw new RangeError(`Inception Score in ${splits} parts needs as many images, got ${count}`);
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
