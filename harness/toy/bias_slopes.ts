import { runChains } from "./run_chains.ts";
import type { BiasPoint, BiasSlope } from "./report.ts";
import type { SuiteOptions } from "./suite.ts";
import type { Sampler, Target } from "./types.ts";

/** Step sizes on N(0, 1). */
export const BIAS_STEPS: readonly number[] = [0.05, 0.1, 0.2, 0.4];

/** Measures the variance at each of `BIAS_STEPS`: one draw for each of many chains, so that all are independent. */
export async function measureBias(
  sampler: Sampler,
  { target, device, seed }: SuiteOptions & { readonly target: Target },
): Promise<BiasPoint[]> {
  const out: BiasPoint[] = [];
  for (const stepSize of BIAS_STEPS) {
    // Forgotten to e^-10 in the mean after 10 / gamma steps; 5 / gamma apart, squares correlate by e^-10.
    const thin = Math.round(5 / stepSize);
    const overrides = { stepSize, chains: 20_000, burnIn: 2 * thin, steps: 7 * thin, thin };
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
      error: variance * Math.sqrt(2 / data.length),
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
