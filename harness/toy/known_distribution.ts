/**
 * Distributions whose moments, quantiles and mean energy are known: Gaussians, and masses on a grid.
 *
 * @module
 */
import { symmetricEigen } from "../linalg/symmetric_eigen.ts";
import { normalQuantile } from "../statistics/normal.ts";
import type { Matrix } from "../core/types.ts";
import { centreOf, type Grid } from "./grid.ts";

/** The known distribution of the draws of one posterior. */
export interface KnownDistribution {
  /** E U, U = -log density of the target up to its constant. */
  readonly energy: number;
  /** E z, [dim]. */
  readonly mean: readonly number[];
  /** E z z', [dim][dim]. */
  readonly second: Matrix;
  /** The number that coordinate `axis` is below with probability `p`. */
  quantile(axis: number, p: number): number;
  /** Masses on the cells of the posterior's grid, if it has one. */
  readonly mass?: Float64Array;
}

/** N(mean, covariance) as draws for a target N(mean, targetCovariance), whose axes it shares. */
export function gaussianDistribution(
  mean: readonly number[],
  { covariance, ratios }: { readonly covariance: Matrix; readonly ratios: readonly number[] },
): KnownDistribution {
  return {
    energy: ratios.reduce((sum, ratio) => sum + ratio / 2, 0),
    mean,
    second: covariance.map((row, i) => row.map((v, j) => v + mean[i] * mean[j])),
    quantile: (axis, p) => mean[axis] + Math.sqrt(covariance[axis][axis]) * normalQuantile(p),
  };
}

/** Masses on the cells of `grid`, which is the target's density. */
export function gridDistribution(grid: Grid, mass: Float64Array): KnownDistribution {
  const { cells, extent, logNormalizer } = grid;
  const size = 2 * extent / cells;
  const mean = [0, 0];
  const second = [[0, 0], [0, 0]];
  const marginals = [new Float64Array(cells), new Float64Array(cells)];
  let energy = -logNormalizer;
  mass.forEach((m, cell) => {
    if (m === 0) return;
    const z = centreOf(cell, grid);
    // Where the density underflows there is no mass but rounding.
    energy -= m * Math.log(Math.max(grid.mass[cell], Number.MIN_VALUE) / size ** 2);
    for (const i of [0, 1]) {
      mean[i] += m * z[i];
      for (const j of [0, 1]) second[i][j] += m * z[i] * z[j];
    }
    marginals[0][Math.floor(cell / cells)] += m;
    marginals[1][cell % cells] += m;
  });
  return {
    energy,
    mean,
    second,
    mass,
    quantile: (axis, p) => {
      let below = 0;
      for (let i = 0; i < cells; i++) {
        const m = marginals[axis][i];
        if (below + m >= p) return -extent + (i + (p - below) / m) * size;
        below += m;
      }
      return extent;
    },
  };
}

/** The Gaussian whose variances along the principal axes of `covariance` are `ratios` of its own. */
export function withRatios(covariance: Matrix, ratios: readonly number[]): number[][] {
  const { values, vectors } = symmetricEigen(covariance);
  return covariance.map((row, i) =>
    row.map((_, j) =>
      values.reduce((sum, v, k) => sum + ratios[k] * v * vectors[k][i] * vectors[k][j], 0)
    )
  );
}
