import type { Chains } from "./batches.ts";
import { compileChainMeter } from "./chain_health.ts";
import type { Key } from "../core/noise.ts";
import type { Stopwatch } from "../core/stopwatch.ts";
import { BIAS_LIMIT, STABILITY_LIMIT, WARNING_LIMIT } from "../statistics/chain_health.ts";
import type { Device, DeviceState, HostArrays, ImageSet, Model } from "../core/types.ts";
import type { ChainHealth } from "../core/records.ts";

/** Images measured after training. The virial of 32 latents has a standard error of about sqrt(2 / (32 x 50)) = 0.035. */
const MEASURED_IMAGES = 50;

/** Images looked at after each epoch: their largest curvature is close to that of all, at a few per cent of the cost. */
const WATCHED_IMAGES = 8;

/** Settings of the measurement of chains. */
export interface ChainSetting {
  readonly device: Device;
  readonly model: Model;
  readonly images: ImageSet;
  readonly problem: { readonly trainCount: number };
  readonly key: Key;
  readonly state: DeviceState;
  readonly chains: Chains;
}

/** Measures the chains of the model after `step` training steps; undefined if it has none. Consumes `state`. */
export async function measureChains(
  setting: ChainSetting & { readonly stopwatch: Stopwatch },
  step: number,
): Promise<{ readonly state: DeviceState; readonly health: readonly ChainHealth[] } | undefined> {
  const { model: { langevinChains, conditional }, problem, stopwatch } = setting;
  if (langevinChains === undefined || langevinChains.length === 0) return undefined;
  await using meter = await compileChainMeter({
    ...setting,
    ...problem,
    langevinChains,
    isConditional: conditional !== undefined,
    imageCount: MEASURED_IMAGES,
  });
  stopwatch.switchTo("score");
  const measured = await meter.measure(setting.state, step);
  stopwatch.switchTo("other");
  return measured;
}

/** Looks at the chains between epochs. */
export interface ChainWatch extends AsyncDisposable {
  /**
   * Measures the chains in `state`, after `step` training steps, and warns of those that have come nearer to instability.
   */
  check(state: HostArrays, step: number): Promise<readonly ChainHealth[]>;
}

/** Compiles a watch; undefined if the model runs no chains. `warn` is told one sentence at a time, once a chain and limit. */
export async function compileChainWatch(
  setting: ChainSetting,
  warn: (text: string) => void,
): Promise<ChainWatch | undefined> {
  const { model: { langevinChains, conditional }, problem } = setting;
  if (langevinChains === undefined || langevinChains.length === 0) return undefined;
  const meter = await compileChainMeter({
    ...setting,
    ...problem,
    langevinChains,
    isConditional: conditional !== undefined,
    imageCount: WATCHED_IMAGES,
  });
  const reached = new Map<string, number>();
  return {
    async check(state, step) {
      const { health } = await meter.measure(await setting.device.upload(state), step);
      for (const one of health) {
        const limit = limitReached(one);
        if (limit <= (reached.get(one.chain) ?? 0)) continue;
        reached.set(one.chain, limit);
        warn(describeWarning(one));
      }
      return health;
    },
    [Symbol.asyncDispose]: () => meter[Symbol.asyncDispose](),
  };
}

/** The highest limit that eta L has reached, or 0. */
function limitReached({ stability }: ChainHealth): number {
  const limits = [STABILITY_LIMIT, BIAS_LIMIT, WARNING_LIMIT];
  if (stability === null) return STABILITY_LIMIT;
  return limits.find((limit) => stability.quantile90 >= limit) ?? 0;
}

/** `the posterior chain is unstable: its step size 0.05 times the largest curvature is 2.4, and must be below 2`. */
export function describeWarning({ chain, stability, stepSize }: ChainHealth): string {
  if (stability === null) return `the ${chain} chain leaves the range of float32`;
  const { quantile90 } = stability;
  const state = quantile90 >= STABILITY_LIMIT
    ? "is unstable"
    : `inflates variances up to ${(1 / (1 - quantile90 / 2)).toPrecision(2)} times`;
  return `the ${chain} chain ${state}: its step size ${
    Number(stepSize.toPrecision(2))
  } times the ` +
    `largest curvature is ${quantile90.toPrecision(2)}, and must be well below ${STABILITY_LIMIT}`;
}
