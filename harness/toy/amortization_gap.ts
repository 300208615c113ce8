import { momentsOf } from "../statistics/gaussian_error.ts";
import { mixingOf, samplesOf } from "./score_run.ts";
import { runChains } from "./run_chains.ts";
import type { GapPoint, GapSweep, ToyRow } from "../core/toy_report.ts";
import type { SuiteOptions } from "./suite_options.ts";
import type { Draws, GaussianAnswer, GaussianTarget, Sampler } from "../core/toy_types.ts";

/** Widths of the last hidden layer: below, at and above the three points. LAE, appendix E. */
export const GAP_WIDTHS: readonly number[] = [1, 2, 3, 4, 8, 32, 128];

/** Leverage below which a point stands still. */
const IMMOBILE = 1e-6;

/** Standard errors by which a variance may miss its leverage: 21 comparisons a seed. */
const DEVIATIONS = 5;

/**
 * Amortized chains of fewer features than points cover h_ii of each posterior covariance, the leverage of the point (LAE Fig.
 * 5 in closed form), times Euler's factor: the sweep measures how far they miss that.
 */
export async function sweepWidths(
  sampler: Sampler,
  { target, device, seed, widths = GAP_WIDTHS }: SuiteOptions & {
    readonly target: GaussianTarget;
    readonly widths?: readonly number[];
  },
): Promise<GapSweep> {
  const rows: ToyRow[] = [];
  const points: GapPoint[] = [];
  for (const width of widths) {
    const overrides = { featureDim: width, chains: 16, steps: 10_000, burnIn: 1000, thin: 10 };
    const { draws, state, settings } = await runChains(sampler, {
      target,
      device,
      seed,
      overrides,
    });
    const measured = gapPoints(draws, { width, features: state.features.data, target });
    points.push(...measured);
    const factor = meanFactor(
      target.answer,
      (precision) => sampler.varianceRatio?.(precision, { target, settings }) ?? 1,
    );
    const moving = measured.filter(({ leverage }) => leverage > IMMOBILE);
    const misses = Array.from({ length: target.points }, (_, i) => {
      const own = measured.filter(({ point }) => point === i);
      // A point whose features are all zero stays where it is: what moves there is all wrong.
      const ratios = own.map((p) =>
        p.leverage > IMMOBILE ? p.varianceRatio / (p.leverage * factor) : 1 + p.varianceRatio
      );
      return Math.abs(ratios.reduce((a, b) => a + b) / ratios.length - 1);
    });
    const value = Math.max(...misses);
    // Standard error of the mean over chains; chains have different features, hence different means.
    const error = Math.max(...Array.from({ length: target.points }, (_, i) => {
      const sizes = moving.filter(({ point }) => point === i).map((p) => p.effectiveSize);
      const squares = sizes.map((size) => 2 / (target.dim * size));
      return Math.sqrt(squares.reduce((a, b) => a + b, 0)) / draws.chains;
    }));
    rows.push({
      experiment: "gap",
      sampler: gapName(sampler, width),
      metric: "leverage_law",
      value,
      exact: 0,
      error,
      low: null,
      high: DEVIATIONS * error,
      verdict: value <= DEVIATIONS * error ? "pass" : "fail",
    });
  }
  return { rows, points };
}

/** The name in rows of a sampler with `width` features. */
export function gapName({ name }: Sampler, width: number): string {
  return `${name}, d = ${width}`;
}

function gapPoints(
  draws: Draws,
  { width, features, target: { answer: { covariance } } }: {
    readonly width: number;
    readonly features: ArrayLike<number>;
    readonly target: { readonly answer: GaussianAnswer };
  },
): GapPoint[] {
  const { count, chains, points, dim } = draws;
  return Array.from({ length: chains }, (_, chain) => {
    const own = new Float32Array(count * points * dim);
    for (let t = 0; t < count; t++) {
      const at = (t * chains + chain) * points * dim;
      own.set(draws.data.subarray(at, at + points * dim), t * points * dim);
    }
    const one = { count, chains: 1, points, dim, data: own };
    const mixing = mixingOf(one, false);
    return samplesOf(one, false).map((sample, point) => {
      // Whitened features: the squared length of a row is its leverage.
      let leverage = 0;
      for (let k = 0; k < width; k++) {
        leverage += features[(chain * points + point) * width + k] ** 2;
      }
      const measured = momentsOf(sample).covariance;
      return {
        width,
        chain,
        point,
        leverage,
        varianceRatio: traceRatio(measured, covariance),
        effectiveSize: mixing[point].effectiveSize,
      };
    });
  }).flat();
}

/** tr(S^-1 C) / dim for 2x2 matrices. */
function traceRatio(
  c: readonly (readonly number[])[],
  [[a, b], [, d]]: readonly (readonly number[])[],
): number {
  return (d * c[0][0] - 2 * b * c[0][1] + a * c[1][1]) / (a * d - b * b) / 2;
}

/** Mean over the principal axes of a factor that depends on their precision. */
function meanFactor(
  { covariance: [[a, b], [, d]] }: GaussianAnswer,
  factor: (precision: number) => number,
): number {
  const [half, radius] = [(a + d) / 2, Math.hypot((a - d) / 2, b)];
  return (factor(1 / (half + radius)) + factor(1 / (half - radius))) / 2;
}
