import { mean } from "../statistics/summary.ts";
import type { Device, HostArray } from "../core/types.ts";
import type { Draws, SamplerTheory, StationaryKernel, Target } from "../core/toy_types.ts";
import { expectedAcceptance } from "./acceptance.ts";
import {
  type Estimate,
  estimate,
  independent,
  knownRow,
  largestRow,
  type Row,
} from "./known_values.ts";
import { deviationsOf, largest } from "./deviations.ts";
import { gaussianDistribution, type KnownDistribution } from "./known_distribution.ts";
import type { ChainRun } from "./run_chains.ts";
import { biasedAnswer, GATE_DEVIATIONS } from "./score_run.ts";
import { whyUngated } from "./ungated.ts";
import type { Truth } from "./truth.ts";

/** Independent draws from which proposals are made. */
const PROPOSALS = 60_000;

/** Standard errors by which an error of 10 % has to show, to be outside the gate in 19 of 20 runs: run longer for more. */
export const LEAST_POWER = GATE_DEVIATIONS + 1.645;

/** Inputs of the rows. */
interface Context {
  readonly target: Target;
  readonly sampler: SamplerTheory;
  readonly truth: Truth;
  readonly device: Device;
  /** Whether the run has not the length that target and sampler ask for: then it need not have their power. */
  readonly isShortened: boolean;
}

/**
 * The rows of a run whose values theory gives: mean energy, moments, marginals and acceptance rate. Nothing but the energy is
 * shown where theory does not give the stationary distribution.
 */
export async function knownRows(run: ChainRun, context: Context): Promise<Row[]> {
  const { truth } = context;
  const distributions = distributionsOf(run, context);
  return [
    ...energyRows(run, { ...context, distributions }),
    ...(distributions ? momentRows(truth.coordinates(run.draws), { distributions }) : []),
    ...await acceptanceRows(run, context),
  ];
}

type Distributions = readonly KnownDistribution[];

/** The stationary distribution of each posterior's draws; null where theory does not say, or nothing is asked. */
export function distributionsOf(
  { settings }: Pick<ChainRun, "settings">,
  { target, sampler, truth }: Pick<Context, "target" | "sampler" | "truth">,
): Distributions | null {
  const { answer } = target;
  const kernel = sampler.kernel?.(target, settings);
  if (whyUngated(sampler, target) !== null) return null;
  if (answer.kind !== "gaussian") return kernel ? stationaryOn(target, { truth, kernel }) : null;
  if (!kernel && !sampler.bias?.closedForm) return null;
  const biased = biasedAnswer(answer, { settings, sampler, target });
  if (!biased) return null;
  const { answer: { means, covariance }, ratios } = biased;
  return means.map((mean) => gaussianDistribution(mean, { covariance, ratios }));
}

/** The stationary distribution on a grid. Throws a RangeError that names the target when its grid does not suffice. */
function stationaryOn(
  { name }: Target,
  { truth, kernel }: { readonly truth: Truth; readonly kernel: StationaryKernel },
): Distributions | null {
  try {
    return truth.stationary(kernel);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`Target ${name}: ${error.message}`, { cause: error });
  }
}

/**
 * Mean energy above that of the posterior, over all points, which every error of the temperature moves; and whether the run is
 * long enough for that to show. With a preconditioner that keeps eta G at or below a step size, the bias is between none and
 * that of Euler's rule at this step size.
 */
function energyRows(
  run: ChainRun,
  context: Context & { readonly distributions: Distributions | null },
): Row[] {
  const { truth, distributions } = context;
  const { value, error } = estimate(energiesOf(run));
  const largest = largestBias(run, context);
  const expected = distributions
    ? mean(distributions.map(({ energy }) => energy)) - truth.energy
    : largest === null
    ? null
    : largest / 2;
  const energy = knownRow("energy", {
    value: value - truth.energy,
    error,
    expected,
    exact: 0,
    room: distributions || largest === null ? 0 : largest / 2,
  });
  if (expected === null) return [energy];
  return [energy, powerRow(run, { error, isGated: !context.isShortened })];
}

/**
 * Standard errors by which a drift of 1.1 times the right one moves the mean energy: a temperature of 1 / 1.1, and dE[U] / dT is
 * the variance of U.
 */
function powerRow(
  { energies, draws: { count, chains, points } }: ChainRun,
  { error, isGated }: { readonly error: number; readonly isGated: boolean },
): Row {
  const variances = Array.from({ length: points }, (_, point) => {
    const own = Float64Array.from(
      { length: count * chains },
      (_, i) => energies[i * points + point],
    );
    return independent(own).error ** 2 * own.length;
  });
  const value = (1 - 1 / 1.1) * mean(variances) / error;
  return {
    metric: "power",
    value,
    exact: null,
    error: null,
    low: isGated ? LEAST_POWER : null,
    high: null,
    verdict: !isGated ? "shown" : value >= LEAST_POWER ? "pass" : "fail",
  };
}

/** Energies of each chain over time, averaged over the points. */
function energiesOf({ energies, draws: { count, chains, points } }: ChainRun): Float64Array[] {
  return Array.from(
    { length: chains },
    (_, chain) =>
      Float64Array.from({ length: count }, (_, t) => {
        const at = (t * chains + chain) * points;
        return mean([...energies.subarray(at, at + points)]);
      }),
  );
}

/** The energy that the largest step of a preconditioned rule adds on a Gaussian; null for other samplers and targets. */
function largestBias({ settings }: ChainRun, { target, sampler }: Context): number | null {
  const { answer } = target;
  if (
    !sampler.preconditioned || answer.kind !== "gaussian" || whyUngated(sampler, target) !== null
  ) {
    return null;
  }
  const biased = biasedAnswer(answer, { settings, sampler, target });
  return biased && biased.ratios.reduce((sum, ratio) => sum + (ratio - 1) / 2, 0);
}

/** The largest deviations of first and second moments, and of the marginal distribution functions, in standard errors. */
function momentRows(
  draws: Draws,
  { distributions }: { readonly distributions: readonly KnownDistribution[] },
): Row[] {
  const { moments, marginals } = deviationsOf(draws, distributions);
  return [
    largestRow("moments", largest(moments).size),
    largestRow("marginals", largest(marginals).size),
  ];
}

async function acceptanceRows(
  { acceptance, settings }: ChainRun,
  { target, sampler, truth, device }: Context,
): Promise<Row[]> {
  if (!acceptance) return [];
  const own = independent(acceptance);
  const expected = await expectedAcceptance(target, {
    starts: exactStarts(target, truth),
    stepSize: settings.stepSize,
    joint: sampler.decidesJointly ?? false,
    device,
  });
  return [knownRow("acceptance", {
    value: own.value,
    error: combined(own, expected),
    expected: whyUngated(sampler, target) !== null ? null : expected.value,
    exact: expected.value,
  })];
}

function combined(a: Estimate, b: Estimate): number {
  return Math.hypot(a.error, b.error);
}

/** Independent draws of all posteriors, [count, points, dim]. */
export function exactStarts({ points, dim }: Target, truth: Truth): HostArray {
  const count = Math.ceil(PROPOSALS / points);
  const data = new Float32Array(count * points * dim);
  for (let point = 0; point < points; point++) {
    const posterior = point % truth.count;
    const sample = truth.draw(posterior, { count, seed: `acceptance/${point}` });
    for (let n = 0; n < count; n++) {
      data.set(sample.data.subarray(n * dim, (n + 1) * dim), (n * points + point) * dim);
    }
  }
  return { shape: [count, points, dim], dtype: "float32", data };
}
