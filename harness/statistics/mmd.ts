import type { Sample } from "./sample.ts";

/**
 * Unbiased squared maximum mean discrepancy with the kernel exp(-|x - y|^2 / (2 h^2)); 0 on average for samples of one law,
 * so that it can be negative. Gretton et al. 2012, lemma 6. O((m + n)^2).
 */
export function squaredMmd(x: Sample, y: Sample, bandwidth: number): number {
  const kernel = kernelOf(bandwidth);
  let cross = 0;
  for (let i = 0; i < x.count; i++) for (let j = 0; j < y.count; j++) cross += kernel(x, i, y, j);
  return meanOfPairs(x, kernel) + meanOfPairs(y, kernel) - 2 * cross / (x.count * y.count);
}

/**
 * The same between the law of `x` and N(0, I), whose means of the kernel are known: E k(x, Y) = (h^2 / (h^2 + 1))^(dim / 2)
 * exp(-|x|^2 / (2 (h^2 + 1))), E k(Y, Y') = (h^2 / (h^2 + 2))^(dim / 2). O(m^2).
 */
export function squaredMmdToNormal(x: Sample, bandwidth: number): number {
  const { count, dim, data } = x;
  const width = bandwidth ** 2 + 1;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    let squares = 0;
    for (let k = i * dim; k < (i + 1) * dim; k++) squares += data[k] ** 2;
    sum += Math.exp(-squares / (2 * width));
  }
  const cross = (bandwidth ** 2 / width) ** (dim / 2) * sum / count;
  return meanOfPairs(x, kernelOf(bandwidth)) + normalPairs(dim, bandwidth) - 2 * cross;
}

/**
 * Where the law of `squaredMmdToNormal` of `count` normal draws begins: it is that of sum_k lambda_k (chi^2_k - 1) / (count -
 * 1), about, with the eigenvalues of the centred kernel, whose sum is 1 - E k(Y, Y'). Gretton et al. 2012, theorem 12.
 */
export function leastMmdToNormal(
  { count, dim, bandwidth }: {
    readonly count: number;
    readonly dim: number;
    readonly bandwidth: number;
  },
): number {
  return -(1 - normalPairs(dim, bandwidth)) / (count - 1);
}

/** E k(Y, Y') of independent N(0, I). */
function normalPairs(dim: number, bandwidth: number): number {
  return (bandwidth ** 2 / (bandwidth ** 2 + 2)) ** (dim / 2);
}

/** Mean of the kernel over pairs of different draws. */
function meanOfPairs(s: Sample, kernel: ReturnType<typeof kernelOf>): number {
  let sum = 0;
  for (let i = 0; i < s.count; i++) for (let j = 0; j < i; j++) sum += kernel(s, i, s, j);
  return 2 * sum / (s.count * (s.count - 1));
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
