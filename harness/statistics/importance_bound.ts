import { logMeanExp } from "./annealing.ts";

/**
 * Importance-weighted bound on log p(x) in nats of each image (Burda et al. 2016, eq. 8), [images] in float64: the mean
 * over groups of k draws of log (1 / k) sum_j exp(w_j). k = 1 is the ELBO; its expectation rises with k to log p(x).
 *
 * `logWeights[j][i]` is log p(x_i, z) - log q(z | x_i) at draw j. Throws RangeError unless the number of draws is a
 * positive multiple of k.
 */
export function importanceBound(logWeights: readonly ArrayLike<number>[], k: number): Float64Array {
  const draws = logWeights.length;
  if (!Number.isInteger(k) || k < 1 || draws === 0 || draws % k !== 0) {
    throw new RangeError(`Number of draws must be a positive multiple of k = ${k}, got ${draws}`);
  }
  const bounds = new Float64Array(logWeights[0].length);
  for (let group = 0; group < draws; group += k) {
    for (let i = 0; i < bounds.length; i++) {
      const weights = Array.from({ length: k }, (_, j) => logWeights[group + j][i]);
      bounds[i] += logMeanExp(weights).value / (draws / k);
    }
  }
  return bounds;
}
