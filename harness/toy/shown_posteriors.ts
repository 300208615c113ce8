/**
 * The posteriors of targets, coarse enough for figures.
 *
 * @module
 */
import { cholesky, solveLower } from "../linalg/cholesky.ts";
import type { ShownDensity, ShownNormal } from "../core/toy_report.ts";
import { binned, centreOf, normalise } from "./grid.ts";
import type { OpenTarget } from "./run_sampler.ts";

/** Cells along an axis of densities in figures. */
const SHOWN_CELLS = 80;
/** The square that shows two-dimensional Gaussian posteriors. */
const SHOWN_EXTENT = 4;

/** The densities of the first two coordinates of a target's posteriors. */
export function densitiesOf({ target: { name, dim, answer }, truth }: OpenTarget): ShownDensity[] {
  if (dim === 1 || answer.kind === "transport") return [];
  const grids = answer.kind === "grid" ? truth.grids : answer.means.map((mean) => {
    // The marginal of a Gaussian is that of its block.
    const factor = cholesky([0, 1].map((i) => answer.covariance[i].slice(0, 2)));
    const size = { extent: SHOWN_EXTENT, cells: SHOWN_CELLS };
    const log = Float64Array.from({ length: SHOWN_CELLS ** 2 }, (_, cell) => {
      const white = solveLower(factor, centreOf(cell, size).map((z, k) => z - mean[k]));
      return -white.reduce((sum, v) => sum + v * v, 0) / 2;
    });
    return normalise(log, size);
  });
  return grids.map((grid, posterior) => {
    const masses = binned(grid, SHOWN_CELLS);
    const top = masses.reduce((a, b) => Math.max(a, b), 0);
    return {
      experiment: name,
      posterior,
      extent: grid.extent,
      cells: SHOWN_CELLS,
      values: Array.from(masses, (v) => v / top),
    };
  });
}

/** The posteriors of a target in one dimension. */
export function normalsOf({ target: { name, dim, answer } }: OpenTarget): ShownNormal[] {
  if (dim !== 1 || answer.kind !== "gaussian") return [];
  const std = Math.sqrt(answer.covariance[0][0]);
  return answer.means.map(([mean], posterior) => ({ experiment: name, posterior, mean, std }));
}
