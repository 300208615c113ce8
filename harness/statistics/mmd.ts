import type { Sample } from "./sample.ts";

/**
 * Unbiased squared maximum mean discrepancy with the kernel exp(-|x - y|^2 / (2 h^2)); 0 on average for samples of one law,
 * so that it can be negative. Gretton et al. 2012, lemma 6. O((m + n)^2).
 */
export function squaredMmd(x: Sample, y: Sample, bandwidth: number): number {
  const kernel = kernelOf(bandwidth);
  let cross = 0;
  for (let i = 0; i < x.count; i++) for (let j = 0; j < y.count; j++) cross += kernel(x, i, y, j);
  // The diagonal, k(x, x) = 1, is left out, and every pair stands for two.
  const own = (s: Sample) => {
    let sum = 0;
    for (let i = 0; i < s.count; i++) for (let j = 0; j < i; j++) sum += kernel(s, i, s, j);
    return 2 * sum / (s.count * (s.count - 1));
  };
  return own(x) + own(y) - 2 * cross / (x.count * y.count);
}

/** The kernel of draw i of x and draw j of y. */
function kernelOf(bandwidth: number) {
  const scale = -0.5 / bandwidth ** 2;
  return (x: Sample, i: number, y: Sample, j: number): number => {
    const { dim } = x;
    let squares = 0;
    for (let k = 0; k < dim; k++) squares += (x.data[i * dim + k] - y.data[j * dim + k]) ** 2;
    return Math.exp(scale * squares);
  };
}
