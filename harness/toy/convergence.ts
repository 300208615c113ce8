import { runChains } from "./run_chains.ts";
import type { Convergence } from "../core/toy_report.ts";
import type { SuiteOptions } from "./suite_options.ts";
import type { Draws, GaussianTarget, Sampler } from "../core/toy_types.ts";

/** Steps of the running mean, which is also over all chains: draws of one chain correlate too long to know it to 0.5 sd. */
const WINDOW = 100;
const CHAINS = 16;
/** The running mean has arrived when it is this close to the true mean, in posterior standard deviations... */
const CLOSE = 0.5;
/** ...for this share of the points. */
const SHARE = 0.9;

/** Runs chains from their starts for `steps` steps; the trace is that of the first. */
export async function followConvergence(
  sampler: Sampler,
  { target, device, seed, steps, stepSize }: SuiteOptions & {
    readonly target: GaussianTarget;
    readonly steps: number;
    /** The sampler's own by default. */
    readonly stepSize?: number;
  },
): Promise<Convergence> {
  const overrides = {
    chains: CHAINS,
    steps,
    burnIn: 0,
    thin: 1,
    ...(stepSize !== undefined && { stepSize }),
  };
  const { draws, settings } = await runChains(sampler, { target, device, seed, overrides });
  const { data, points, dim } = draws;
  const { means, covariance } = target.answer;
  const std = Math.sqrt(covariance[0][0]);
  const t90 = firstClose(draws, { means: means.map(([mean]) => mean), std });
  const stride = Math.max(1, Math.floor(steps / 1000));
  return {
    sampler: sampler.name,
    label: sampler.label,
    stepSize: settings.stepSize,
    t90,
    gradients: t90 === null ? null : t90 * sampler.gradientsPerStep(target, settings),
    trace: Array.from(
      { length: Math.floor(steps / stride) },
      (_, i) => data[i * stride * CHAINS * points * dim],
    ),
    stride,
    mean: means[0][0],
    std,
  };
}

/** First step at which the mean over chains and the last steps is close for enough of the points; null: none. */
export function firstClose(
  { data, count, chains, points }: Draws,
  { means, std }: { readonly means: readonly number[]; readonly std: number },
): number | null {
  const sums = means.map(() => 0);
  const add = (t: number, sign: number) => {
    for (let i = 0; i < chains * points; i++) {
      sums[i % points] += sign * data[t * chains * points + i];
    }
  };
  for (let t = 0; t < count; t++) {
    add(t, 1);
    if (t >= WINDOW) add(t - WINDOW, -1);
    const size = Math.min(t + 1, WINDOW) * chains;
    const close = sums.filter((sum, i) => Math.abs(sum / size - means[i]) < CLOSE * std);
    if (close.length >= SHARE * points) return t + 1;
  }
  return null;
}
