/**
 * Mixing of several chains: effective sample size and R-hat on split chains, without rank normalisation. Gelman et al.,
 * Bayesian Data Analysis, 3rd edition, sections 11.4 and 11.5; Vehtari et al. 2021, eqs. 3, 4, 10 to 13.
 *
 * @module
 */

/** One scalar of each chain over time, [chains][draws]; all chains have the same length. */
export type Chains = readonly Float64Array[];

/** Mixing diagnostics of a set of chains. */
export interface Mixing {
  /** Number of independent draws that would estimate the mean with the same error. */
  readonly effectiveSize: number;
  /** R-hat; 1 if all halves of all chains agree. */
  readonly rHat: number;
}

/** Computes effective sample size and R-hat of the halves of `chains`. Throws RangeError for fewer than 8 draws. */
export function diagnose(chains: Chains): Mixing {
  const halves = chains.flatMap((chain) => {
    const half = chain.length >> 1;
    return [chain.subarray(0, half), chain.subarray(chain.length - half)];
  });
  const length = halves[0].length;
  if (length < 4) {
    throw new RangeError(`Chains must have at least 8 draws, got ${chains[0].length}`);
  }
  const means = halves.map(meanOf);
  const variances = halves.map((half, i) =>
    autocovariance(half, means[i], 0) * length / (length - 1)
  );
  const within = variances.reduce((a, b) => a + b) / halves.length;
  const centre = means.reduce((a, b) => a + b) / means.length;
  const between = means.reduce((sum, m) => sum + (m - centre) ** 2, 0) / (means.length - 1);
  const total = within * (length - 1) / length + between;
  const count = halves.length * length;
  if (within === 0) {
    // Constant chains carry no information unless they agree on the constant.
    return between === 0 ? { effectiveSize: count, rHat: 1 } : { effectiveSize: 1, rHat: Infinity };
  }
  const correlation = (lag: number) => {
    let sum = 0;
    halves.forEach((half, i) => sum += autocovariance(half, means[i], lag));
    return 1 - (within - sum / halves.length * length / (length - 1)) / total;
  };
  return {
    effectiveSize: Math.min(count / integratedTime(correlation, length), count * Math.log10(count)),
    rHat: Math.sqrt(total / within),
  };
}

/** Integrated autocorrelation time 1 + 2 sum of correlations, by the initial monotone sequence. Geyer 1992. */
function integratedTime(correlation: (lag: number) => number, length: number): number {
  let time = -1;
  let least = Infinity;
  for (let lag = 0; lag + 1 < length - 2; lag += 2) {
    const pair = (lag === 0 ? 1 : correlation(lag)) + correlation(lag + 1);
    if (pair < 0) break;
    least = Math.min(least, pair);
    time += 2 * least;
  }
  return Math.max(time, 1e-3);
}

function meanOf(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Autocovariance sum_t (x_t - mean)(x_{t+lag} - mean) / length. */
function autocovariance(x: Float64Array, mean: number, lag: number): number {
  let sum = 0;
  for (let t = 0; t + lag < x.length; t++) sum += (x[t] - mean) * (x[t + lag] - mean);
  return sum / x.length;
}
