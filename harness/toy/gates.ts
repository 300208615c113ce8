import { normalQuantile } from "../statistics/normal.ts";
import { histogram2d, totalVariation } from "../statistics/histogram.ts";
import { momentsOf } from "../statistics/gaussian_error.ts";
import { type Distribution, upperBound } from "../statistics/upper_bound.ts";
import { binned } from "./grid.ts";
import { GATE_DEVIATIONS, type ScoredRun } from "./score_run.ts";
import { BINS } from "./grid_truth.ts";
import { whyUngated } from "./ungated.ts";
import type { Truth } from "./truth.ts";
import type { SamplerSettings, SamplerTheory, Target } from "../core/toy_types.ts";

/** The interval that a metric must lie in, [low, high]. */
export interface Gate {
  readonly low: number;
  readonly high: number;
}

/** Gates by metric. */
export type Gates = Readonly<Record<string, Gate>>;

/** Fewer effective draws say nothing: run longer. */
export const LEAST_EFFECTIVE_SIZE = 200;
/** Between chains of independent seeds. Gelman et al. ask for 1.1, Vehtari et al. for 1.01. */
export const LARGEST_R_HAT = 1.05;
/** Of the truth, for posteriors that are no Gaussians: far below what any Gaussian reaches. */
const LARGEST_TV = 0.08;

/**
 * Room for the variance within modes. Chains forget there in 50 steps: thousands of draws know it to 2 %, and the energy
 * between modes, which no Gaussian has, adds some more.
 */
const WITHIN_MODES = 0.1;

const atMost = (high: number): Gate => ({ low: -Infinity, high });

/** The gates of a run: from the sampling error at its effective size, and the bias that theory gives its step. */
export function gatesOf(
  { exact, predicted, within }: ScoredRun,
  { target, sampler, settings, truth }: {
    readonly target: Target;
    readonly sampler: SamplerTheory;
    readonly settings: SamplerSettings;
    readonly truth: Truth;
  },
): Gates {
  if (whyUngated(sampler, target) !== null) return {};
  const { answer } = target;
  if (answer.kind !== "grid") {
    return {
      ...Object.fromEntries(
        Object.entries(predicted).map((
          [name, distribution],
        ) => [name, atMost(upperScore(distribution))]),
      ),
      ess: { low: LEAST_EFFECTIVE_SIZE, high: Infinity },
      r_hat: atMost(LARGEST_R_HAT),
    };
  }
  if (answer.modes && within) {
    const precision = answer.modes.std ** -2;
    const bias = sampler.varianceRatio?.(precision, { target, settings }) ?? 1;
    const modeError = upperScore(exact.mode_error);
    return {
      // The distance of two mixtures is at most that of their weights and the mean of those within modes.
      histogram_tv: atMost(upperScore(within.histogram_tv) + modeError),
      mode_error: atMost(modeError),
      modes_missed: atMost(0),
      within_mode_variance: { low: bias * (1 - WITHIN_MODES), high: bias * (1 + WITHIN_MODES) },
    };
  }
  return {
    histogram_tv: atMost(Math.min(LARGEST_TV, gaussianTv(truth) / 2)),
    modes_missed: atMost(0),
    ess: { low: LEAST_EFFECTIVE_SIZE, high: Infinity },
  };
}

/** Upper bound of a score by chance alone. */
function upperScore(distribution: Distribution): number {
  return upperBound(distribution, GATE_DEVIATIONS);
}

/** Mean total variation between each posterior and the Gaussian of its moments, on bins: the best that a Gaussian can do. */
function gaussianTv(truth: Truth): number {
  const each = truth.grids.map((grid, point) => {
    const sample = truth.draw(point, { count: 20_000, seed: `moments/${point}` });
    const { mean, covariance } = momentsOf(sample);
    const l11 = Math.sqrt(covariance[0][0]);
    const l21 = covariance[0][1] / l11;
    const l22 = Math.sqrt(covariance[1][1] - l21 ** 2);
    // A lattice of the normal's quantiles stands for the Gaussian: no noise of its own.
    const side = 300;
    const quantiles = Array.from({ length: side }, (_, i) => normalQuantile((i + 0.5) / side));
    const data = new Float64Array(2 * side * side);
    quantiles.forEach((u, i) =>
      quantiles.forEach((v, j) =>
        data.set([mean[0] + l11 * u, mean[1] + l21 * u + l22 * v], 2 * (i * side + j))
      )
    );
    const shares = histogram2d({ count: side * side, dim: 2, data }, {
      extent: grid.extent,
      bins: BINS,
    });
    return totalVariation(shares, binned(grid, BINS));
  });
  return each.reduce((a, b) => a + b, 0) / each.length;
}
