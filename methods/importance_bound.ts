/**
 * The importance-weighted bound on the mean of log p(x) in nats, in float64: the mean over images of
 * log (1 / k) sum_j exp(w_j) (Burda et al. 2016, eq. 8), each image's draws in groups of k. k = 1 is the ELBO.
 *
 * `logWeights[j][i]` is log p(x_i, z) - log q(z | x_i) at draw j; the number of draws is a multiple of k.
 */
export function importanceBound(logWeights: readonly ArrayLike<number>[], k: number): number {
  const draws = logWeights.length;
  if (!Number.isInteger(k) || k < 1 || draws === 0 || draws % k !== 0) {
    throw new RangeError(`${draws} draws are not in groups of ${k}`);
  }
  const images = logWeights[0].length;
  let sum = 0;
  for (let group = 0; group < draws; group += k) {
    for (let i = 0; i < images; i++) {
      let most = -Infinity;
      for (let j = group; j < group + k; j++) most = Math.max(most, logWeights[j][i]);
      let total = 0;
      for (let j = group; j < group + k; j++) total += Math.exp(logWeights[j][i] - most);
      sum += most + Math.log(total / k);
    }
  }
  return sum / (images * draws / k);
}
