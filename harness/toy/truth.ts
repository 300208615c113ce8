/**
 * The posteriors of a target, and the scores of draws against them.
 *
 * @module
 */
import type { Distribution } from "../statistics/upper_bound.ts";
import type { Sample } from "../statistics/sample.ts";
import type { Scores } from "../core/toy_report.ts";
import type { Draws, GaussianFit, StationaryKernel } from "../core/toy_types.ts";
import type { Grid } from "./grid.ts";
import type { KnownDistribution } from "./known_distribution.ts";

/** Scores of samples of several posteriors. */
export interface PosteriorScores {
  /** Over all posteriors: means, or what is worked out on all draws together. */
  readonly all: Scores;
  /** Of each posterior. */
  readonly each: readonly Scores[];
}

/** The posteriors of a target, one for each point (one for all where they share it). */
export interface Truth {
  /** Posteriors: points, or 1 where all share one. */
  readonly count: number;
  /** Draws in the coordinates in which `score` and `stationary` compare: their own, unless the answer is a map of normals. */
  coordinates(draws: Draws): Draws;
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
   * Distributions of the scores that are known in closed form, of independent draws: sizes[i] of each posterior, whose variances
   * along its principal axes are `ratios` of the true ones.
   */
  scoreDistributions(
    sizes: readonly number[],
    ratios: readonly number[],
  ): Readonly<Record<string, Distribution>>;
  /** E U of a draw, U = -log density up to the target's constant, averaged over the posteriors. */
  readonly energy: number;
  /** The stationary distribution of a kernel on each posterior; null for Gaussians, where closed forms are known, and where nothing is. */
  stationary(kernel: StationaryKernel): readonly KnownDistribution[] | null;
  /** Tabulated densities, for figures; none for Gaussians. */
  readonly grids: readonly Grid[];
}

/** Draws that sliced distances look at: they cost n log n. */
export const SLICED_COUNT = 2000;

/** The fit of a posterior, of which there may be one for all. */
export function fitOf(fits: readonly GaussianFit[], posterior: number): GaussianFit {
  return fits[fits.length === 1 ? 0 : posterior];
}
