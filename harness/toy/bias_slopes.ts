/**
 * Bias of the rules that discretise Langevin dynamics, over step sizes on N(0, 1).
 *
 * @module
 */
import { runChains } from "./run_chains.ts";
import type { BiasPoint, BiasSlope } from "../core/toy_report.ts";
import type { SuiteOptions } from "./suite_options.ts";
import type { Draws, Sampler, Target } from "../core/toy_types.ts";

/** Large enough for biases of the third order, 0.016 at 0.4, to be seen. */
export const BIAS_STEPS: readonly number[] = [0.1, 0.2, 0.4, 0.6];

/** More than a million draws: a variance of 1 is known to 1.4e-3. */
const CHAINS = 5_000;
const DRAWS = 250;
/** Standard errors beyond which a bias counts as seen. */
const SEEN = 3;

/** Options of `measureBias`. */
export interface BiasOptions extends SuiteOptions {
  readonly target: Target;
  readonly steps?: readonly number[];
  readonly chains?: number;
}

/** Measures the variance at each of `steps`. */
export async function measureBias(
  sampler: Sampler,
  { target, device, seed, steps = BIAS_STEPS, chains = CHAINS }: BiasOptions,
): Promise<BiasPoint[]> {
  const out: BiasPoint[] = [];
  for (const stepSize of steps) {
    // Draws 1 / gamma steps apart: their squares correlate by e^-2.
    const thin = Math.round(1 / stepSize);
    const burnIn = 10 * thin; // e^-10 of the start is left
    const overrides = { stepSize, chains, burnIn, steps: burnIn + DRAWS * thin, thin };
    const { draws, settings } = await runChains(sampler, { target, device, seed, overrides });
    const { variance, error } = varianceAboutZero(draws);
    const ratio = sampler.bias?.closedForm
      ? sampler.varianceRatio?.(1, { target, settings })
      : undefined;
    out.push({
      sampler: sampler.name,
      label: sampler.label,
      stepSize,
      bias: variance - 1,
      error,
      theory: ratio === undefined ? null : ratio - 1,
      gradientsPerStep: sampler.gradientsPerStep(target, settings),
    });
  }
  return out;
}

/** Variance of scalar chains of mean zero, and its standard error: chains are independent, whatever their draws and points are. */
export function varianceAboutZero(
  { data, chains, points, count }: Draws,
): { readonly variance: number; readonly error: number } {
  const each = new Float64Array(chains);
  data.forEach((v, i) => each[Math.floor(i / points) % chains] += v * v / (count * points));
  const variance = each.reduce((a, b) => a + b, 0) / chains;
  const squares = each.reduce((sum, v) => sum + (v - variance) ** 2, 0);
  return { variance, error: Math.sqrt(squares / (chains - 1) / chains) };
}

/**
 * Weighted least-squares slope of log |bias| over log step size, through the biases that are seen, and that of the closed
 * form through the same points with the same weights.
 */
export function biasSlope(
  points: readonly BiasPoint[],
  { sampler, label, order }: Pick<BiasSlope, "sampler" | "label" | "order">,
): BiasSlope {
  const seen = points.filter(({ bias, error }) => Math.abs(bias) > SEEN * error);
  const none = { sampler, label, order, points: seen.length };
  if (seen.length < 2) return { ...none, measured: null, error: null, theory: null };
  // The error of log |bias| is error / |bias|.
  const weights = seen.map(({ bias, error }) => (bias / error) ** 2);
  const total = weights.reduce((a, b) => a + b);
  const xs = seen.map(({ stepSize }) => Math.log(stepSize));
  const centre = xs.reduce((sum, x, i) => sum + weights[i] * x, 0) / total;
  const spread = xs.reduce((sum, x, i) => sum + weights[i] * (x - centre) ** 2, 0);
  const slopeOf = (values: readonly number[]) =>
    values.reduce((s, v, i) => s + weights[i] * (xs[i] - centre) * Math.log(Math.abs(v)), 0) /
    spread;
  const theory = seen.flatMap((p) => p.theory === null ? [] : [p.theory]);
  return {
    ...none,
    measured: slopeOf(seen.map(({ bias }) => bias)),
    error: 1 / Math.sqrt(spread),
    theory: theory.length === seen.length ? slopeOf(theory) : null,
  };
}
