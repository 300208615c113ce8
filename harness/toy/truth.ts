/**
 * What the posteriors of a target are, and the scores of draws against it.
 *
 * @module
 */
import { fillNoise, foldIn, keyOf } from "../core/noise.ts";
import { gaussianError, momentsOf } from "../statistics/gaussian_error.ts";
import { cholesky, logDeterminant, solveLower } from "../linalg/cholesky.ts";
import { histogram2d, totalVariation } from "../statistics/histogram.ts";
import { squaredMmd, squaredMmdDistribution, squaredMmdToNormal } from "../statistics/mmd.ts";
import type { Distribution } from "../statistics/upper_bound.ts";
import { type Sample, thinned } from "../statistics/sample.ts";
import { slicedWasserstein } from "../statistics/sliced_wasserstein.ts";
import type { Scores } from "../core/toy_report.ts";
import type { Device, Matrix } from "../core/types.ts";
import { findModes, type Modes, modeShares } from "./modes.ts";
import { eulerStationary } from "./euler_grid.ts";
import { binned, drawFromGrid, type Grid, tabulate, tabulateGradients } from "./grid.ts";
import { gridDistribution, type KnownDistribution } from "./known_distribution.ts";
import type {
  GaussianAnswer,
  GaussianFit,
  GridAnswer,
  StationaryKernel,
  Target,
} from "../core/toy_types.ts";

/** Scores of samples of several posteriors. */
export interface PosteriorScores {
  /** Over all posteriors: means, or what is worked out on all draws together. */
  readonly all: Scores;
  /** Of each posterior. */
  readonly each: readonly Scores[];
}

/** A metric of draws against the truth. */
export interface ToyMetric {
  readonly name: string;
  readonly label: string;
  readonly better: "lower" | "higher" | "one";
}

/** All metrics, in the order of tables. */
export const TOY_METRICS: readonly ToyMetric[] = [
  { name: "mean_error", label: "mean error (sd)", better: "lower" },
  { name: "covariance_error", label: "covariance error", better: "lower" },
  { name: "kl", label: "KL of fitted Gaussian (nats)", better: "lower" },
  { name: "histogram_tv", label: "histogram TV", better: "lower" },
  { name: "sliced_w2", label: "sliced W2", better: "lower" },
  { name: "mmd2", label: "MMD²", better: "lower" },
  { name: "mode_error", label: "mode weight TV", better: "lower" },
  { name: "modes_missed", label: "modes missed", better: "lower" },
  { name: "within_mode_variance", label: "variance within modes / σ²", better: "one" },
  { name: "energy", label: "mean energy − that of the posterior (nats)", better: "lower" },
  { name: "power", label: "10 % of the drift in the mean energy (se)", better: "higher" },
  { name: "moments", label: "largest error of a moment (se)", better: "lower" },
  { name: "marginals", label: "largest error of a marginal (se)", better: "lower" },
  { name: "acceptance", label: "acceptance rate", better: "one" },
  { name: "ess", label: "effective sample size", better: "higher" },
  { name: "r_hat", label: "split R-hat", better: "one" },
  { name: "gradients", label: "gradients of all points, all chains", better: "lower" },
  { name: "gradients_per_draw", label: "gradients per effective draw", better: "lower" },
];

/** The posteriors of a target, one for each point (one for all where they share it). */
export interface Truth {
  /** Posteriors: points, or 1 where all share one. */
  readonly count: number;
  /** Independent draws of the posterior of `point`. */
  draw(point: number, options: { readonly count: number; readonly seed: string }): Sample;
  /**
   * Scores of samples, one for each posterior; `kl` is that of the Gaussians of their moments, or of `fits`. Scores
   * over all posteriors that `known` has are left out: MMD costs n^2.
   */
  score(
    samples: readonly Sample[],
    options?: {
      readonly fits?: readonly GaussianFit[];
      readonly known?: Readonly<Record<string, unknown>>;
    },
  ): PosteriorScores;
  /**
   * Laws of the scores that are known in closed form, of independent draws: sizes[i] of each posterior, whose variances
   * along its principal axes are `ratios` of the true ones.
   */
  scoreDistributions(
    sizes: readonly number[],
    ratios: readonly number[],
  ): Readonly<Record<string, Distribution>>;
  /** E U of a draw, U = -log density up to the target's constant, averaged over the posteriors. */
  readonly energy: number;
  /** The stationary distribution of a kernel on each posterior; null for Gaussians, where closed forms are known. */
  stationary(kernel: StationaryKernel): readonly KnownDistribution[] | null;
  /** Tabulated densities, for figures; none for Gaussians. */
  readonly grids: readonly Grid[];
}

/** Draws that the distances between samples look at: they cost n log n and n^2. */
const SLICED_COUNT = 2000;
const MMD_COUNT = 1200;
/** Draws on either side where the truth has no kernel means in closed form. */
const MMD_PAIR_COUNT = 300;
/** Of the kernel on whitened draws. */
const MMD_BANDWIDTH = 1;
/** Side of the square on which the KL of Gaussians is worked out, over that of the answer. */
const WIDER = 2;
/** Bins along an axis. */
export const BINS = 40;

/** The truth about `target`; grids are tabulated on `device`. */
export async function openTruth(target: Target, device: Device): Promise<Truth> {
  const { answer } = target;
  if (answer.kind === "gaussian") return gaussianTruth(answer);
  const grids = await tabulate({ ...target, answer }, device);
  const gradients = await tabulateGradients({ ...target, answer }, device);
  const wide = { ...answer, extent: WIDER * answer.extent };
  return gridTruth(grids, {
    answer,
    gradients,
    wide: await tabulate({ ...target, answer: wide }, device),
  });
}

/** Posteriors N(means[i], covariance); samples of all points are whitened and pooled for the distances. */
export function gaussianTruth({ means, covariance }: GaussianAnswer): Truth {
  const factor = cholesky(covariance);
  const dim = covariance.length;
  const reference = normals("reference", SLICED_COUNT, dim);
  /** Draws of each posterior that are pooled. */
  const share = (posteriors: number) => Math.ceil(SLICED_COUNT / posteriors);
  const whiten = (samples: readonly Sample[]): Sample => {
    const each = share(samples.length);
    const rows = samples.flatMap((sample, point) => {
      const { data, count } = thinned(sample, each);
      return Array.from(
        { length: count },
        (_, n) => solveLower(factor, means[point].map((m, k) => data[n * dim + k] - m)),
      );
    });
    return { count: rows.length, dim, data: Float64Array.from(rows.flat()) };
  };
  return {
    count: means.length,
    energy: dim / 2, // the density of a Gaussian target is 1 at its top
    stationary: () => null,
    grids: [],
    scoreDistributions: (sizes, ratios) => {
      const pooled = sizes.reduce((sum, size) => sum + Math.min(size, share(sizes.length)), 0);
      return {
        mmd2: squaredMmdDistribution({
          count: Math.min(pooled, MMD_COUNT),
          variances: ratios,
          bandwidth: MMD_BANDWIDTH,
        }),
      };
    },
    draw: (point, { count, seed }) => {
      const { data } = normals(seed, count, dim);
      const out = new Float64Array(count * dim);
      for (let n = 0; n < count; n++) {
        for (let i = 0; i < dim; i++) {
          out[n * dim + i] = means[point][i];
          for (let k = 0; k <= i; k++) out[n * dim + i] += factor[i][k] * data[n * dim + k];
        }
      }
      return { count, dim, data: out };
    },
    score: (samples, { fits, known = {} } = {}) => {
      const each = samples.map((sample, i) => {
        const truth = { mean: means[i], covariance };
        const error = gaussianError(momentsOf(sample), truth);
        return {
          mean_error: error.mean,
          covariance_error: error.covariance,
          kl: fits ? gaussianError(fitOf(fits, i), truth).kl : error.kl,
        };
      });
      const pooled = whiten(samples);
      return {
        each,
        all: {
          mean_error: rms(each.map((e) => e.mean_error)),
          covariance_error: rms(each.map((e) => e.covariance_error)),
          kl: average(each.map((e) => e.kl)),
          sliced_w2: slicedWasserstein(pooled, reference),
          ...!("mmd2" in known) && {
            mmd2: squaredMmdToNormal(thinned(pooled, MMD_COUNT), MMD_BANDWIDTH),
          },
        },
      };
    },
  };
}

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
    energy: average(grids.map((grid) => gridDistribution(grid, grid.mass).energy)),
    stationary,
    grids,
    scoreDistributions: () => ({}),
    draw: (point, options) => drawFromGrid(grids[point], options),
    score: (samples, { fits } = {}) => {
      const each = samples.map((sample, i) => scoreOne(sample, known[i], fits && fitOf(fits, i)));
      const all = Object.keys(each[0]).map((name) =>
        [name, average(each.map((scores) => scores[name]))] as const
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

/** The fit of a posterior, of which there may be one for all. */
function fitOf(fits: readonly GaussianFit[], posterior: number): GaussianFit {
  return fits[fits.length === 1 ? 0 : posterior];
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

/** Standard normal draws of the stream `seed`. */
function normals(seed: string, count: number, dim: number): Sample {
  const data = new Float32Array(count * dim);
  fillNoise(data, {
    key: foldIn(keyOf(0), `truth/${seed}`),
    counters: Int32Array.of(0),
    width: count * dim,
    kind: "normal",
  });
  return { count, dim, data };
}

const average = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

const rms = (values: readonly number[]): number => Math.sqrt(average(values.map((v) => v * v)));
