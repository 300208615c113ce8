/**
 * Mixing of several chains: rank-free effective sample size and R-hat on split chains. Gelman et al., Bayesian Data Analysis,
 * 3rd edition, sections 11.4 and 11.5; Vehtari et al. 2021, eqs. 3, 4, 10 to 13.
 *
 * @module
 */

/** One number of each chain over time, [chains][draws], all of one length. */
export type Chains = readonly Float64Array[];

/** What `diagnose` finds. */
export interface Mixing {
  /** Independent draws that would know the mean as well. */
  readonly effectiveSize: number;
  /** 1 where all halves of all chains agree. */
  readonly rHat: number;
}

/** Effective sample size and R-hat of the halves of `chains`. Throws RangeError for chains of fewer than 8 draws. */
export function diagnose(chains: Chains): Mixing {
  const halves = chains.flatMap((chain) => {
    const half = chain.length >> 1;
    return [chain.subarray(0, half), chain.subarray(chain.length - half)];
  });
  const length = halves[0].length;
  if (length < 4) {
    throw new RangeError(`Chains of ${chains[0].length} draws are too short to judge`);
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
    // Chains that stand still know nothing, unless they agree on a constant.
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

/** 1 + 2 sum of correlations, by Geyer's initial monotone sequence of pairs. Geyer 1992. */
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

/** sum (x_t - mean)(x_{t+lag} - mean) / length. */
function autocovariance(x: Float64Array, mean: number, lag: number): number {
  let sum = 0;
  for (let t = 0; t + lag < x.length; t++) sum += (x[t] - mean) * (x[t + lag] - mean);
  return sum / x.length;
}
