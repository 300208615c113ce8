import type { Distribution } from "./upper_bound.ts";
import type { Sample } from "./sample.ts";

/**
 * Unbiased squared maximum mean discrepancy with the kernel exp(-|x - y|^2 / (2 h^2)), h = `bandwidth`. Its mean is 0 for
 * two samples of one distribution, so it can be negative. Gretton et al. 2012, lemma 6. O((m + n)^2).
 */
export function squaredMmd(x: Sample, y: Sample, bandwidth: number): number {
  const kernel = kernelOf(bandwidth);
  let cross = 0;
  for (let i = 0; i < x.count; i++) for (let j = 0; j < y.count; j++) cross += kernel(x, i, y, j);
  return meanOfPairs(x, kernel) + meanOfPairs(y, kernel) - 2 * cross / (x.count * y.count);
}

/**
 * Unbiased squared MMD between the distribution of `x` and N(0, I), with the kernel means of N(0, I) in closed form:
 * E k(x, Y) = (h^2 / (h^2 + 1))^(dim / 2) exp(-|x|^2 / (2 (h^2 + 1))), E k(Y, Y') = (h^2 / (h^2 + 2))^(dim / 2). O(m^2).
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
 * Distribution of `squaredMmdToNormal` for `count` independent draws X of N(0, diag(variances)). Mean and standard
 * deviation are those of a U-statistic of order two (Hoeffding 1948, section 5). The minimum is approximate: the
 * V-statistic, which includes the pairs of a draw with itself, is >= 0 and about (1 - E k(X, X')) / (count - 1) larger.
 * With unit variances the distribution is about that of sum_k lambda_k (chi^2_k - 1) / (count - 1), where lambda_k are
 * the eigenvalues of the centred kernel: Gretton et al. 2012, theorem 12.
 */
export function squaredMmdDistribution(
  { count, variances, bandwidth }: {
    readonly count: number;
    readonly variances: readonly number[];
    readonly bandwidth: number;
  },
): Required<Distribution> {
  const b = bandwidth ** 2;
  // X, X' are draws; Y, Y' ~ N(0, I).
  const mean = (f: (variance: number) => number) => variances.reduce((p, s) => p * f(s), 1);
  const xx = mean((s) => meanOfProduct(s, [s], b));
  const xy = mean((s) => meanOfProduct(s, [1], b));
  const yy = normalPairs(variances.length, bandwidth);
  const squared = mean((s) => meanOfProduct(s, [s], b / 2)); // the kernel's square is a kernel
  // Covariances, over X, of the conditional means E[k(X, X') | X] and E[k(X, Y) | X].
  const ofXx = mean((s) => meanOfProduct(s, [s, s], b)) - xx ** 2;
  const ofBoth = mean((s) => meanOfProduct(s, [s, 1], b)) - xx * xy;
  const ofXy = mean((s) => meanOfProduct(s, [1, 1], b)) - xy ** 2;
  // Variances of k(X, X') - E k(X, Y) - E k(X', Y): of its mean given X, and of itself.
  const single = ofXx - 2 * ofBoth + ofXy;
  const pair = squared - xx ** 2 - 4 * ofBoth + 2 * ofXy;
  return {
    mean: xx + yy - 2 * xy,
    std: Math.sqrt(2 * (2 * (count - 2) * single + pair) / (count * (count - 1))),
    minimum: -(1 - xx) / (count - 1),
  };
}

/** E prod_j k(C, L_j) for independent C ~ N(0, centre) and L_j ~ N(0, leaves[j]), with h^2 = `b`. */
function meanOfProduct(centre: number, leaves: readonly number[], b: number): number {
  const rate = leaves.reduce((sum, leaf) => sum + 1 / (b + leaf), 0);
  const scale = leaves.reduce((product, leaf) => product * b / (b + leaf), 1);
  return Math.sqrt(scale / (1 + centre * rate));
}

/** E k(Y, Y') for independent Y, Y' ~ N(0, I). */
function normalPairs(dim: number, bandwidth: number): number {
  return meanOfProduct(1, [1], bandwidth ** 2) ** dim;
}

/** Mean of the kernel over pairs of different draws. */
function meanOfPairs(s: Sample, kernel: ReturnType<typeof kernelOf>): number {
  let sum = 0;
  for (let i = 0; i < s.count; i++) for (let j = 0; j < i; j++) sum += kernel(s, i, s, j);
  return 2 * sum / (s.count * (s.count - 1));
}

/** Makes the kernel function of draw i of x and draw j of y. */
function kernelOf(bandwidth: number) {
  const scale = -0.5 / bandwidth ** 2;
  return (x: Sample, i: number, y: Sample, j: number): number => {
    const { dim } = x;
    let squares = 0;
    for (let k = 0; k < dim; k++) squares += (x.data[i * dim + k] - y.data[j * dim + k]) ** 2;
    return Math.exp(scale * squares);
  };
}
