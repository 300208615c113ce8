import type { Sample } from "./sample.ts";

/**
 * Unbiased squared maximum mean discrepancy with the kernel exp(-|x - y|^2 / (2 h^2)); 0 on average for samples of one law,
 * so that it can be negative. Gretton et al. 2012, lemma 6. O((m + n)^2).
 */
export function squaredMmd(x: Sample, y: Sample, bandwidth: number): number {
  const cross = kernelSum(x, y, bandwidth);
  // The diagonal, k(x, x) = 1, is left out.
  const own = (s: Sample) => (kernelSum(s, s, bandwidth) - s.count) / (s.count * (s.count - 1));
  return own(x) + own(y) - 2 * cross / (x.count * y.count);
}

function kernelSum(x: Sample, y: Sample, bandwidth: number): number {
  const { dim } = x;
  const scale = -0.5 / bandwidth ** 2;
  let sum = 0;
  for (let i = 0; i < x.count; i++) {
    for (let j = 0; j < y.count; j++) {
      let squares = 0;
      for (let k = 0; k < dim; k++) squares += (x.data[i * dim + k] - y.data[j * dim + k]) ** 2;
      sum += Math.exp(scale * squares);
    }
  }
  return sum;
}
