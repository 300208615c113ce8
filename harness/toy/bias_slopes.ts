import { runChains } from "./run_chains.ts";
import type { BiasPoint, BiasSlope } from "./report.ts";
import type { SuiteOptions } from "./suite.ts";
import type { Sampler, Target } from "./types.ts";

/** Step sizes on N(0, 1). */
export const BIAS_STEPS: readonly number[] = [0.05, 0.1, 0.2, 0.4];

const CHAINS = 5_000;
/** Enough for a bias of 5 %. */
const LEAST_CHAIN_STEPS = 2e6;
/** More where biases of the second and third order are just visible. */
const CHAIN_STEPS: Readonly<Record<number, number>> = { 0.2: 1e7, 0.4: 1e7 };
/** Of squares of draws 1 / gamma steps apart, (1 + e^-2) / (1 - e^-2). */
const INTEGRATED_TIME = 1.31;

/** Measures the variance at each of `BIAS_STEPS`. */
export async function measureBias(
  sampler: Sampler,
  { target, device, seed }: SuiteOptions & { readonly target: Target },
): Promise<BiasPoint[]> {
  const out: BiasPoint[] = [];
  for (const stepSize of BIAS_STEPS) {
    // Draws 1 / gamma steps apart: their squares correlate by e^-2.
    const thin = Math.round(1 / stepSize);
    const draws = Math.ceil((CHAIN_STEPS[stepSize] ?? LEAST_CHAIN_STEPS) / CHAINS / thin);
    const burnIn = 10 * thin; // e^-10 of the start is left
    const overrides = { stepSize, chains: CHAINS, burnIn, steps: burnIn + draws * thin, thin };
    const { draws: { data }, settings } = await runChains(sampler, {
      target,
      device,
      seed,
      overrides,
    });
    const variance = data.reduce((sum, v) => sum + v * v, 0) / data.length; // the mean is known
    const ratio = sampler.varianceRatio?.(1, { target, settings });
    out.push({
      sampler: sampler.name,
      label: sampler.label,
      stepSize,
      bias: variance - 1,
      error: variance * Math.sqrt(2 * INTEGRATED_TIME / data.length),
      theory: ratio === undefined ? null : ratio - 1,
      gradientsPerStep: sampler.gradientsPerStep(target, settings),
    });
  }
  return out;
}

/** Least-squares slope of log |bias| over log step size. */
export function biasSlope(points: readonly BiasPoint[]): BiasSlope {
  const seen = points.filter(({ bias, error }) => Math.abs(bias) > 3 * error);
  const xs = seen.map(({ stepSize }) => Math.log(stepSize));
  const ys = seen.map(({ bias }) => Math.log(Math.abs(bias)));
  const mean = (v: readonly number[]) => v.reduce((a, b) => a + b, 0) / v.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const slope = xs.reduce((sum, x, i) => sum + (x - mx) * (ys[i] - my), 0) /
    xs.reduce((sum, x) => sum + (x - mx) ** 2, 0);
  const { sampler, label } = points[0];
  return { sampler, label, measured: seen.length < 2 ? null : slope, points: seen.length };
}
