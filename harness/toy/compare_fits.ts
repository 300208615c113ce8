/**
 * Samplers against variational fits of Gaussians on the same posteriors, each posterior by itself.
 *
 * @module
 */
import { findModes } from "./modes.ts";
import type { Grid } from "./grid.ts";
import type { ToyRow, ToyRun } from "../core/toy_report.ts";
import type { ToyMetric } from "./toy_metrics.ts";
import type { Truth } from "./truth.ts";

/** The comparisons, with labels as in `TOY_METRICS`. */
export const COMPARISONS = [
  { name: "tv_over_fit", label: "histogram TV / that of the best fit", better: "lower" },
  { name: "kl_over_diagonal", label: "KL − KL of the diagonal fit (nats)", better: "lower" },
  { name: "least_kl", label: "least KL of a posterior (nats)", better: "lower" },
] as const satisfies readonly ToyMetric[];

type Comparison = typeof COMPARISONS[number]["name"];

/** Share of the histogram's total variation that a sampler may have of the best Gaussian fit's. */
const TV_SHARE = 0.5;

/**
 * Nats that a fit by stochastic gradients may lose to a smaller family. KL is worked out for the fitted q itself, so that no
 * sampling adds to it; at an optimum it is flat, and the learning rate has fallen to zero.
 */
const FIT_ROOM = 0.01;

/**
 * KL of a Gaussian on a density of several modes, nats: one that covers a mode of weight w loses -log w, one that covers them
 * all has the valleys between. Less of it says that the modes, or the KL, are wrong.
 */
const LEAST_KL = 0.1;

/** A mode of less weight is no reason why a Gaussian should fail. */
const MODE_WEIGHT = 0.05;

/** Runs on one target. */
export interface Compared {
  readonly runs: readonly ToyRun[];
  readonly truth: Truth;
  /** Names of the fits by Gaussians: those with independent coordinates, those with any covariance. */
  readonly fits: { readonly diagonal: string; readonly full: string };
  /** Whether the fits' energies say all about the target; a cut-off density has a border that no gradient shows. */
  readonly isGated?: boolean;
}

/** The rows that runs on one target get by comparison; runs that diverged have none, for they have failed already. */
export function compareToFits({ runs, truth, fits, isGated = true }: Compared): ToyRow[] {
  const scored = runs.filter((run) => run.posteriors.length > 0);
  const [diagonal, full] = [fits.diagonal, fits.full].map((name) =>
    scored.find(({ sampler }) => sampler === name)
  );
  if (!diagonal || !full) return [];
  const over = full.posteriors.map(({ kl }, i) => kl - diagonal.posteriors[i].kl);
  const nested = rowOf(full, {
    metric: "kl_over_diagonal",
    value: Math.max(...over),
    ...(isGated && { high: FIT_ROOM }),
  });
  if (!(truth.grids.length > 0 && truth.grids.every(isMultimodal))) return [nested];
  const best = full.posteriors.map(({ histogram_tv }, i) =>
    Math.min(histogram_tv, diagonal.posteriors[i].histogram_tv)
  );
  const chains = scored.filter((run) => run !== diagonal && run !== full);
  return [
    ...chains.map((run) =>
      rowOf(run, {
        metric: "tv_over_fit",
        value: Math.max(...run.posteriors.map(({ histogram_tv }, i) => histogram_tv / best[i])),
        ...(run.note === null && { high: TV_SHARE }),
      })
    ),
    nested,
    rowOf(full, {
      metric: "least_kl",
      value: Math.min(...full.posteriors.map(({ kl }) => kl)),
      low: LEAST_KL,
    }),
  ];
}

function isMultimodal(grid: Grid): boolean {
  return findModes(grid).weights.filter((weight) => weight >= MODE_WEIGHT).length > 1;
}

function rowOf(
  { experiment, sampler }: ToyRun,
  { metric, value, low = null, high = null }: {
    readonly metric: Comparison;
    readonly value: number;
    readonly low?: number | null;
    readonly high?: number | null;
  },
): ToyRow {
  const gated = low !== null || high !== null;
  const inside = value >= (low ?? -Infinity) && value <= (high ?? Infinity);
  return {
    experiment,
    sampler,
    metric,
    value: Number.isFinite(value) ? value : null,
    exact: null,
    error: null,
    low,
    high,
    verdict: !gated ? "shown" : inside ? "pass" : "fail",
  };
}
