import { momentsOf } from "../statistics/gaussian_error.ts";
import { cholesky, logDeterminant } from "../linalg/cholesky.ts";
import { histogram2d, totalVariation } from "../statistics/histogram.ts";
import { squaredMmd } from "../statistics/mmd.ts";
import { type Sample, thinned } from "../statistics/sample.ts";
import { slicedWasserstein } from "../statistics/sliced_wasserstein.ts";
import { mean } from "../statistics/summary.ts";
import type { Scores } from "../core/toy_report.ts";
import type { Matrix } from "../core/types.ts";
import type { GaussianFit, GridAnswer, StationaryKernel } from "../core/toy_types.ts";
import { eulerStationary } from "./euler_grid.ts";
import { binned, drawFromGrid, type Grid } from "./grid.ts";
import { gridDistribution, type KnownDistribution } from "./known_distribution.ts";
import { findModes, type Modes, modeShares } from "./modes.ts";
import { fitOf, SLICED_COUNT, type Truth } from "./truth.ts";

/** Draws on either side of MMD, where the truth has no kernel means in closed form. */
const MMD_PAIR_COUNT = 300;
/** Bins along an axis. */
export const BINS = 40;

/**
 * Posteriors on grids: scores are means over them. `gradients` are those of U at the centres of cells, without which Euler's rule
 * is not followed; `wide` are the grids for the KL of Gaussians that reach beyond the square.
 */
export function gridTruth(
  grids: readonly Grid[],
  { answer: { modes }, gradients, wide = grids }: {
    readonly answer: GridAnswer;
    readonly gradients?: readonly Float64Array[];
    readonly wide?: readonly Grid[];
  },
): Truth {
  const followed = new Map<string, readonly KnownDistribution[] | null>();
  /** Worked out once for each step size: it takes seconds. */
  const stationary = (kernel: StationaryKernel) => {
    const key = JSON.stringify(kernel);
    if (!followed.has(key)) followed.set(key, stationaryOf(grids, { kernel, gradients }));
    return followed.get(key) ?? null;
  };
  const known = grids.map((grid, point) => ({
    grid,
    wide: wide[point],
    found: findModes(grid),
    bins: binned(grid, BINS),
    reference: drawFromGrid(grid, { count: SLICED_COUNT, seed: `reference/${point}` }),
  }));
  const scoreOne = (
    sample: Sample,
    { grid, wide, found, bins, reference }: typeof known[number],
    fit: GaussianFit = momentsOf(sample),
  ): Scores => {
    const spread = momentsOf(reference).covariance;
    const shares = modeShares(sample, { modes: found, grid });
    const thin = thinned(sample, SLICED_COUNT);
    return {
      histogram_tv: totalVariation(histogram2d(sample, { extent: grid.extent, bins: BINS }), bins),
      sliced_w2: slicedWasserstein(thin, reference),
      mmd2: squaredMmd(
        thinned(thin, MMD_PAIR_COUNT),
        thinned(reference, MMD_PAIR_COUNT),
        Math.sqrt((spread[0][0] + spread[1][1]) / 2),
      ),
      kl: gaussianKl(fit, wide),
      mode_error: shares.reduce((sum, s, i) => sum + Math.abs(s - found.weights[i]), 0) / 2,
      modes_missed: countMissed(shares, found),
      ...(modes && { within_mode_variance: withinModes(sample, modes) }),
    };
  };
  return {
    count: grids.length,
    energy: mean(grids.map((grid) => gridDistribution(grid, grid.mass).energy)),
    stationary,
    grids,
    coordinates: (draws) => draws,
    scoreDistributions: () => ({}),
    draw: (point, options) => drawFromGrid(grids[point], options),
    score: (samples, { fits } = {}) => {
      const each = samples.map((sample, i) => scoreOne(sample, known[i], fits && fitOf(fits, i)));
      const all = Object.keys(each[0]).map((name) =>
        [name, mean(each.map((scores) => scores[name]))] as const
      );
      return { each, all: Object.fromEntries(all) };
    },
  };
}

function stationaryOf(
  grids: readonly Grid[],
  { kernel, gradients }: {
    readonly kernel: StationaryKernel;
    readonly gradients?: readonly Float64Array[];
  },
): readonly KnownDistribution[] | null {
  if (kernel === "exact") return grids.map((grid) => gridDistribution(grid, grid.mass));
  if (!gradients) return null;
  return grids.map((grid, i) =>
    gridDistribution(grid, eulerStationary(grid, { gradient: gradients[i], kernel }))
  );
}

/** Modes that got less than a third of their weight. */
function countMissed(shares: readonly number[], { weights }: Modes): number {
  return shares.filter((share, i) => weights[i] >= 0.01 && share < weights[i] / 3).length;
}

/** Beyond exp(-40) of its top a Gaussian adds nothing: 745 e^-40 = 3e-15. */
const NEGLIGIBLE = 40;

/** KL(N(m, C) || p) over the cells of the grid, nats: what of the Gaussian is outside does not count. */
export function gaussianKl({ mean, covariance }: GaussianFit, grid: Grid): number {
  const logDet = logDeterminant(covariance) / 2;
  if (logDet === -Infinity) return Infinity;
  const [[l11], [l21, l22]] = cholesky(covariance);
  const { cells, extent, mass } = grid;
  const size = 2 * extent / cells;
  const logArea = 2 * Math.log(size);
  let kl = 0;
  for (let i = 0; i < cells; i++) {
    const a = (-extent + (i + 0.5) * size - mean[0]) / l11;
    for (let j = 0; j < cells; j++) {
      const b = (-extent + (j + 0.5) * size - mean[1] - l21 * a) / l22;
      const half = (a * a + b * b) / 2;
      if (half > NEGLIGIBLE) continue;
      const log = -half - Math.log(2 * Math.PI) - logDet + logArea; // of the Gaussian's mass
      // Where p underflows, e^-745 stands for it.
      kl += Math.exp(log) * (log - Math.log(Math.max(mass[i * cells + j], Number.MIN_VALUE)));
    }
  }
  return kl;
}

/** Variance of a coordinate about the nearest centre, over std^2. */
function withinModes(
  { data, count }: Sample,
  { centres, std }: { readonly centres: Matrix; readonly std: number },
): number {
  let sum = 0;
  for (let n = 0; n < count; n++) {
    sum += Math.min(
      ...centres.map(([x, y]) => (data[2 * n] - x) ** 2 + (data[2 * n + 1] - y) ** 2),
    );
  }
  return sum / (2 * count) / std ** 2;
}
