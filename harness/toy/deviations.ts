/**
 * How far the moments, the marginals and the weights of modes of draws are from those of known distributions.
 *
 * @module
 */
import type { Draws } from "../core/toy_types.ts";
import type { Grid } from "./grid.ts";
import type { KnownDistribution } from "./known_distribution.ts";
import { estimate } from "./known_values.ts";
import { modeOf, type Modes } from "./modes.ts";

/** A mean along chains beside the value that it should have. */
export interface Deviation {
  /** `E[z_1 z_2] of posterior 0`. */
  readonly name: string;
  readonly value: number;
  readonly expected: number;
  /** Standard error of `value` at the effective size of its own series. */
  readonly error: number;
  /** |value - expected| / error. */
  readonly size: number;
}

/** Probabilities at whose quantiles marginals are compared. */
const LEVELS = [0.1, 0.3, 0.5, 0.7, 0.9];

/** Of first and second moments, and of the marginal distribution functions, of each posterior. */
export function deviationsOf(
  draws: Draws,
  distributions: readonly KnownDistribution[],
): { readonly moments: Deviation[]; readonly marginals: Deviation[] } {
  const { dim, data } = draws;
  const [moments, marginals]: [Deviation[], Deviation[]] = [[], []];
  distributions.forEach((known, posterior) => {
    const of = deviation(draws, { posterior, isShared: distributions.length < draws.points });
    for (let i = 0; i < dim; i++) {
      moments.push(of(`E[z_${i}]`, (at) => data[at + i], known.mean[i]));
      for (let j = 0; j <= i; j++) {
        const product = (at: number) => data[at + i] * data[at + j];
        moments.push(of(`E[z_${i} z_${j}]`, product, known.second[i][j]));
      }
      for (const p of LEVELS) {
        const quantile = known.quantile(i, p);
        const isBelow = (at: number) => Number(data[at + i] < quantile);
        marginals.push(of(`P(z_${i} < ${quantile.toPrecision(3)})`, isBelow, p));
      }
    }
  });
  return { moments, marginals };
}

/** Of the weights of the modes of each posterior on its grid; none where a posterior has one mode. */
export function modeDeviations(
  draws: Draws,
  { distributions, grids, modes }: {
    readonly distributions: readonly KnownDistribution[];
    readonly grids: readonly Grid[];
    readonly modes: readonly Modes[];
  },
): Deviation[] {
  const { data } = draws;
  return distributions.flatMap(({ mass }, posterior) => {
    const [grid, found] = [grids[posterior], modes[posterior]];
    if (!mass || found.weights.length < 2) return [];
    const of = deviation(draws, { posterior, isShared: distributions.length < draws.points });
    return found.weights.map((_, mode) => {
      const expected = mass.reduce((sum, m, cell) => found.of[cell] === mode ? sum + m : sum, 0);
      const isIn = (at: number) =>
        Number(modeOf([data[at], data[at + 1]], { modes: found, grid }) === mode);
      return of(`weight of mode ${mode}`, isIn, expected);
    });
  });
}

/** The largest of some deviations, of which there is at least one. */
export function largest(deviations: readonly Deviation[]): Deviation {
  return deviations.reduce((a, b) => b.size > a.size ? b : a);
}

/** The deviation of the mean of f(z), z at an index of the data of one posterior, or of all points where they share one. */
function deviation(
  { count, chains, points, dim }: Draws,
  { posterior, isShared }: { readonly posterior: number; readonly isShared: boolean },
) {
  const members = isShared ? [...Array(points).keys()] : [posterior];
  const suffix = isShared || points === 1 ? "" : ` of posterior ${posterior}`;
  return (name: string, f: (at: number) => number, expected: number): Deviation => {
    const series = members.flatMap((point) =>
      Array.from({ length: chains }, (_, chain) =>
        Float64Array.from(
          { length: count },
          (_, t) => f(((t * chains + chain) * points + point) * dim),
        ))
    );
    const { value, error } = estimate(series);
    const size = value === expected ? 0 : Math.abs(value - expected) / error;
    return { name: name + suffix, value, expected, error, size };
  };
}
