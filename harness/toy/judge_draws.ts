/**
 * Judges draws of any sampler, whoever made them, against a target: effective sizes are measured, and the bounds follow from them.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { diagnose, type Mixing } from "../statistics/effective_sample_size.ts";
import { type Distribution, upperBound } from "../statistics/upper_bound.ts";
import type { ToyRow } from "../core/toy_report.ts";
import type { Draws, SamplerTheory, Target } from "../core/toy_types.ts";
import type { Device } from "../core/types.ts";
import { type Deviation, deviationsOf, largest, modeDeviations } from "./deviations.ts";
import { energiesOf } from "./energies.ts";
import { type Gates, LARGEST_R_HAT, LEAST_EFFECTIVE_SIZE } from "./gates.ts";
import { distributionsOf, knownRows, LEAST_POWER } from "./known_rows.ts";
import { largestRow } from "./known_values.ts";
import { metricRows } from "./metric_rows.ts";
import { findModes } from "./modes.ts";
import { openTruth } from "./open_truth.ts";
import type { ChainRun } from "./run_chains.ts";
import { GATE_DEVIATIONS, scoreRun, seriesOf } from "./score_run.ts";
import type { Truth } from "./truth.ts";

/** The distribution that draws should have. */
export interface Law {
  /** `posterior`, or the name of the integrator whose distribution at its step size it is. */
  readonly name: string;
  readonly theory: SamplerTheory;
  /** eta; 0 for the posterior. */
  readonly stepSize: number;
}

/** The posterior itself. */
export const POSTERIOR: Law = {
  name: "posterior",
  theory: { kernel: () => "exact", varianceRatio: () => 1 },
  stepSize: 0,
};

/** A verdict on draws, one row a metric. */
export interface Judgement {
  readonly target: string;
  readonly law: Pick<Law, "name" | "stepSize">;
  readonly chains: number;
  /** Draws of each chain. */
  readonly draws: number;
  readonly points: number;
  readonly rows: readonly ToyRow[];
  /** The largest deviation behind each metric that is one, by the metric. */
  readonly worst: Readonly<Record<string, Deviation>>;
  /** The least error of the temperature that these draws show in 19 of 20 runs, 0.1 for 10 %; null where theory does not say. */
  readonly visible: number | null;
}

/** Options of `judgeDraws`. */
export interface JudgeOptions {
  readonly target: Target;
  readonly device: Device;
  /** The posterior by default. */
  readonly law?: Law;
  /** The target's answer, if it is worked out already. */
  readonly truth?: Truth;
  /** Called with the share of the work that is done. */
  readonly report?: (share: number) => void;
}

/** Effective draws beyond which distances get no closer bounds: their replicates take time. */
const MOST_REPLICATED = 20_000;

/**
 * Holds `draws` to a law on `target`. Throws RangeError if theory does not give the law's distribution on this target, or if
 * chains have fewer than 8 draws.
 */
export async function judgeDraws(
  draws: Draws,
  { target: whole, device, law = POSTERIOR, truth: opened, report }: JudgeOptions,
): Promise<Judgement> {
  // Points that share a posterior may be more or fewer than the suite's. What the suite's own samplers cannot do is no excuse.
  const target: Target = { ...whole, points: draws.points, ungated: undefined };
  const base = {
    target: target.name,
    law: { name: law.name, stepSize: law.stepSize },
    chains: draws.chains,
    draws: draws.count,
    points: draws.points,
  };
  const names = { experiment: target.name, sampler: "draws" };
  if (!draws.data.every(Number.isFinite)) {
    return { ...base, rows: [infiniteRow(draws, names)], worst: {}, visible: null };
  }
  const truth = opened ?? await openTruth(target, device);
  const settings = {
    chains: draws.chains,
    steps: draws.count,
    burnIn: 0,
    thin: 1,
    stepSize: law.stepSize,
    batchSize: draws.points,
    featureDim: 0,
  };
  const run: ChainRun = {
    settings,
    draws,
    energies: await energiesOf(draws, { target, device }),
    acceptance: null,
    state: {},
    seconds: 0,
    chainStepsPerSecond: 0,
    gradients: 0,
  };
  const context = { target, sampler: law.theory, truth };
  const distributions = distributionsOf(run, context);
  if (!distributions) {
    throw new RangeError(
      `The distribution of ${law.name} is not known on ${target.name}: leave out --integrator to judge against the posterior`,
    );
  }
  const shared = target.answer.kind === "grid" && target.answer.shared;
  const mixing = wholeMixing(run, { truth, shared });
  const scored = scoreRun(run, {
    ...context,
    report,
    mixing: mixing.map((m) => ({
      ...m,
      effectiveSize: Math.min(m.effectiveSize, MOST_REPLICATED),
    })),
  });
  const ess = Math.min(...mixing.map((m) => m.effectiveSize));
  const scores = { ...scored.scores, ess };
  const isExact = law.theory.kernel?.(target, settings) === "exact";
  const known = await knownRows(run, { ...context, device, isShortened: true });
  const compared = deviationsOf(truth.coordinates(draws), distributions);
  const modes = modeDeviations(draws, {
    distributions,
    grids: truth.grids,
    modes: truth.grids.map(findModes),
  });
  if (modes.length > 0) known.push(largestRow("mode_weights", largest(modes).size));
  const rows = metricRows({ ...scored, scores }, {
    names,
    gates: {
      ...distanceGates(isExact || target.answer.kind !== "grid" ? scored.predicted : {}),
      ess: { low: LEAST_EFFECTIVE_SIZE, high: Infinity },
      r_hat: {
        low: -Infinity,
        high: Math.max(
          ...mixing.map((m) => largestRHat(m, draws.chains * (shared ? draws.points : 1))),
        ),
      },
    },
    known: known.map((row) => ({ ...names, ...row })),
  }).filter(({ metric }) => !NOT_OF_DRAWS.includes(metric));
  const power = rows.find(({ metric }) => metric === "power")?.value ?? null;
  return {
    ...base,
    rows: rows.filter(({ metric }) => metric !== "power"),
    worst: {
      moments: largest(compared.moments),
      marginals: largest(compared.marginals),
      ...(modes.length > 0 && { mode_weights: largest(modes) }),
    },
    visible: power === null ? null : 0.1 * LEAST_POWER / power,
  };
}

/** Metrics of chains that the suite ran itself. */
const NOT_OF_DRAWS: readonly string[] = ["gradients", "gradients_per_draw"];

/** Scores that have no bound here unless their distribution is known in closed form: skewed ones, and the weights of modes, which rows of their own hold to their series. */
const UNGATED: readonly string[] = ["mmd2", "within_mode_variance", "mode_error"];

/** Upper bounds of distances by chance alone. */
function distanceGates(predicted: Readonly<Record<string, Distribution>>): Gates {
  return Object.fromEntries(
    Object.entries(predicted).flatMap(([name, distribution]) => {
      if (UNGATED.includes(name) && distribution.minimum === undefined) return [];
      // About a sum of squares.
      const squares = name === "kl" ? { ...distribution, minimum: 0 } : distribution;
      return [[name, { low: -Infinity, high: upperBound(squares, GATE_DEVIATIONS) }]];
    }),
  );
}

/**
 * The upper bound of R-hat for chains that agree: B / W is about chi^2 of the number of half-chains m, over m - 1, times m over
 * the effective size. Many short chains exceed the usual 1.05 by chance.
 */
function largestRHat({ effectiveSize }: Mixing, chains: number): number {
  const halves = 2 * chains;
  const mean = halves / effectiveSize;
  const ratio = upperBound(
    { mean, std: mean * Math.sqrt(2 / (halves - 1)), minimum: 0 },
    GATE_DEVIATIONS,
  );
  return Math.max(LARGEST_R_HAT, Math.sqrt(1 + ratio));
}

/**
 * Mixing of each posterior over its coordinates, their squares about the mean and its energy: chains that alternate about a mean
 * know it better than independent draws would, but nothing else. No more than there are draws.
 */
function wholeMixing(
  { draws, energies }: ChainRun,
  { truth, shared }: { readonly truth: Truth; readonly shared: boolean },
): Mixing[] {
  const coordinates = truth.coordinates(draws);
  const energySeries = seriesOf({ ...draws, dim: 1, data: energies }, shared);
  return seriesOf(coordinates, shared).map((members, posterior) => {
    const each = Array.from({ length: draws.dim }, (_, k) => members.map((of) => of(k)));
    const squares = each.map((chains) => {
      const centre = meanOf(chains);
      return chains.map((chain) => chain.map((z) => (z - centre) ** 2));
    });
    const first = each.map(diagnose);
    const others = [...squares, energySeries[posterior].map((of) => of(0))].map(diagnose);
    const total = members.length * draws.count;
    return {
      effectiveSize: Math.min(total, ...[...first, ...others].map((m) => m.effectiveSize)),
      rHat: Math.max(...first.map((m) => m.rHat)),
    };
  });
}

function meanOf(chains: readonly Float64Array[]): number {
  let [sum, count] = [0, 0];
  for (const chain of chains) for (const z of chain) [sum, count] = [sum + z, count + 1];
  return sum / count;
}

/** Draws that are no numbers fail. */
function infiniteRow(
  { data, dim }: Draws,
  names: Pick<ToyRow, "experiment" | "sampler">,
): ToyRow {
  let count = 0;
  for (let i = 0; i < data.length; i += dim) {
    if (!data.subarray(i, i + dim).every(Number.isFinite)) count++;
  }
  const row = { value: count, exact: 0, error: null, low: null, high: 0 };
  return { ...names, metric: "not_finite", ...row, verdict: "fail" };
}

/** The posterior of one point of `target` as a target of its own. Throws RangeError for a point that there is not. */
export function posteriorOf(target: Target, point: number): Target {
  const { name, points, answer, inputs, logDensity } = target;
  if (!Number.isInteger(point) || point < 0 || point >= points) {
    throw new RangeError(`Target ${name} has the points 0 to ${points - 1}, got ${point}`);
  }
  return {
    ...target,
    points: 1,
    inputs: [inputs[point]],
    answer: answer.kind === "gaussian" ? { ...answer, means: [answer.means[point]] } : answer,
    logDensity: (z, parameters) => {
      const all = tf.add(z, tf.zeros([1, points, 1])) as tf.Tensor3D; // [chains, points, dim]
      return tf.slice(logDensity(all, parameters), [0, point], [-1, 1]);
    },
  };
}
