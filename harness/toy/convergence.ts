import { runChains } from "./run_chains.ts";
import type { Convergence } from "./report.ts";
import type { SuiteOptions } from "./suite.ts";
import type { GaussianTarget, Sampler } from "./types.ts";

/** Steps of the running mean. */
const WINDOW = 100;
/** The running mean has arrived when it is this close to the true mean, in posterior standard deviations... */
const CLOSE = 0.5;
/** ...for this share of the points. */
const SHARE = 0.9;

/** Runs one chain from its start for `steps` steps. */
export async function followConvergence(
  sampler: Sampler,
  { target, device, seed, steps }: SuiteOptions & {
    readonly target: GaussianTarget;
    readonly steps: number;
  },
): Promise<Convergence> {
  const overrides = { chains: 1, steps, burnIn: 0, thin: 1 };
  const { draws, settings } = await runChains(sampler, { target, device, seed, overrides });
  const { data, points, dim } = draws;
  const { means, covariance } = target.answer;
  const std = Math.sqrt(covariance[0][0]);
  const sums = means.map(() => 0);
  let t90: number | null = null;
  for (let t = 0; t < steps && t90 === null; t++) {
    let close = 0;
    means.forEach(([mean], i) => {
      sums[i] += data[(t * points + i) * dim];
      if (t >= WINDOW) sums[i] -= data[((t - WINDOW) * points + i) * dim];
      if (Math.abs(sums[i] / WINDOW - mean) < CLOSE * std) close++;
    });
    if (t + 1 >= WINDOW && close >= SHARE * points) t90 = t + 1;
  }
  const stride = Math.max(1, Math.floor(steps / 1000));
  return {
    sampler: sampler.name,
    label: sampler.label,
    stepSize: settings.stepSize,
    t90,
    gradients: t90 === null ? null : t90 * sampler.gradientsPerStep(target, settings),
    trace: Array.from(
      { length: Math.floor(steps / stride) },
      (_, i) => data[i * stride * points * dim],
    ),
    stride,
    mean: means[0][0],
    std,
  };
}
