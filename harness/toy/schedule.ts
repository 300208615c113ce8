/**
 * Convergence of last iterates under decreasing step sizes (Karimi, Hsieh and Krause 2023): W2 from the last iterates of
 * many chains to the target after 10, 20, 40, ... steps, and gates on what theory says of it.
 *
 * @module
 */
import type {
  ScheduleGate,
  SchedulePoint,
  ScheduleReport,
  ScheduleRun,
  ScheduleSetting,
} from "../core/schedule_types.ts";
import type { Draws, Sampler, Target } from "../core/toy_types.ts";
import type { Device } from "../core/types.ts";
import type { Sample } from "../statistics/sample.ts";
import { slicedWasserstein } from "../statistics/sliced_wasserstein.ts";
import { collect, runJobs } from "./jobs.ts";
import { runChains } from "./run_chains.ts";
import type { Truth } from "./truth.ts";

/** Independent last iterates of a run, and the steps of the longest: 10 x 2^8. */
export const SCHEDULE_CHAINS = 2000;
export const FIRST_STEPS = 10;
export const DOUBLINGS = 8;

/** One run to make. */
export interface ScheduleCase {
  readonly target: Target;
  readonly rule: string;
  readonly label: string;
  readonly setting: ScheduleSetting;
  readonly sampler: Sampler;
}

/** Runs every case, and judges. */
export async function runSchedules(
  cases: readonly ScheduleCase[],
  { truths, devices, seed, report, chains = SCHEDULE_CHAINS, doublings = DOUBLINGS }: {
    /** By target. */
    readonly truths: Readonly<Record<string, Truth>>;
    readonly devices: readonly Device[];
    readonly seed: number;
    readonly report: (line: string) => void;
    readonly chains?: number;
    readonly doublings?: number;
  },
): Promise<ScheduleReport> {
  const exact = (target: string, name: string): Sample =>
    truths[target].draw(0, { count: chains, seed: `${name} ${seed}` });
  const { jobs, results } = collect(cases.map((one) => ({
    group: one.target.label,
    name: describe(one),
    work: (device: Device) =>
      runCase(one, { device, seed, chains, doublings, exact: exact(one.target.name, "exact") }),
    remark: ({ points }: ScheduleRun) => `, W2 ${points[points.length - 1].distance.toFixed(3)}`,
  })));
  await runJobs(jobs, { devices, report });
  const targets = [...new Set(cases.map(({ target }) => target.name))];
  const floors = Object.fromEntries(
    targets.map((name) => [name, slicedWasserstein(exact(name, "exact"), exact(name, "other"))]),
  );
  return { seed, chains, runs: results, floors, gates: gatesOf(results, chains, floors) };
}

/** `LD, p = 0.8, noise 1`. */
export function describe(
  { label, setting: { power, gradientNoise } }: Pick<ScheduleRun, "label" | "setting">,
): string {
  return `${label}, ${power === 0 ? "constant step" : `p = ${power}`}, noise ${gradientNoise}`;
}

async function runCase(
  { target, rule, label, setting, sampler }: ScheduleCase,
  { device, seed, chains, doublings, exact }: {
    readonly device: Device;
    readonly seed: number;
    readonly chains: number;
    readonly doublings: number;
    readonly exact: Sample;
  },
): Promise<ScheduleRun> {
  const steps = FIRST_STEPS * 2 ** doublings;
  // Points of a target with one density are chains too.
  const overrides = {
    chains: Math.ceil(chains / target.points),
    steps,
    burnIn: 0,
    thin: FIRST_STEPS,
    stepSize: setting.stepSize,
  };
  const run = await runChains(sampler, { target, device, seed, overrides });
  const points = Array.from({ length: doublings + 1 }, (_, j): SchedulePoint => {
    const at = FIRST_STEPS * 2 ** j;
    const last = iterates(run.draws, at / FIRST_STEPS - 1, chains);
    const values = Float64Array.from(last.data);
    return {
      steps: at,
      gradients: at * sampler.gradientsPerStep(target, run.settings),
      distance: slicedWasserstein(last, exact),
      mean: values.reduce((sum, v) => sum + v, 0) / values.length,
      square: values.reduce((sum, v) => sum + v * v, 0) / values.length,
    };
  });
  return { target: target.name, rule, label, setting, points };
}

/** The first `count` of the `record`-th draws of all chains and points. */
function iterates({ chains, points, dim, data }: Draws, record: number, count: number): Sample {
  const from = record * chains * points * dim;
  return { count, dim, data: data.slice(from, from + count * dim) };
}

/**
 * Mean and variance of Euler's rule on N(0, 1) after `steps` steps from N(0, 1), with gradients x + sigma_Z Z + c gamma_k:
 * m' = (1 - gamma) m - c gamma^2, v' = (1 - gamma)^2 v + 2 gamma + gamma^2 sigma_Z^2.
 */
export function eulerMoments(
  { stepSize, delay, power, gradientNoise, gradientBias }: ScheduleSetting,
  steps: number,
): { readonly mean: number; readonly variance: number } {
  let [mean, variance] = [0, 1];
  for (let k = 0; k < steps; k++) {
    const gamma = stepSize * (1 + k / delay) ** -power;
    mean = (1 - gamma) * mean - gradientBias * gamma ** 2;
    variance = (1 - gamma) ** 2 * variance + 2 * gamma + (gamma * gradientNoise) ** 2;
  }
  return { mean, variance };
}

/** The target of closed forms. */
const NORMAL = "standard_normal";
/** The schedule that has to pass the constant step: where chains have to cross between modes, the slowest to fall. */
const judgedPower = (target: string) => target === NORMAL ? 0.8 : 0.6;
/** Standard errors by which moments may differ from closed forms: 1 in 1.7 million by chance, and there are 144 of them. */
const DEVIATIONS = 5;

/**
 * The prediction of theory for `runs` of `chains` independent chains. A schedule is compared with the constant step where the latter's
 * distance is at least twice the floor: below, sampling error decides.
 */
export function gatesOf(
  runs: readonly ScheduleRun[],
  chains: number,
  floors: Readonly<Record<string, number>> = {},
): ScheduleGate[] {
  const gate = (name: string, value: number, [low, high]: readonly [number | null, number]) => ({
    name,
    value,
    low,
    high,
    passed: value <= high && (low === null || value >= low),
  });
  const euler = runs.filter(({ rule }) => rule === "euler");
  const moments = euler.filter(({ target }) => target === NORMAL).flatMap((run) => {
    const worst = { mean: 0, variance: 0 };
    for (const { steps, mean, square } of run.points) {
      const exact = eulerMoments(run.setting, steps);
      const variance = square - mean ** 2;
      // Of normal iterates: sqrt(v / n) for the mean, v sqrt(2 / n) for the variance.
      const ofMean = Math.abs(mean - exact.mean) / Math.sqrt(exact.variance / chains);
      const ofVariance = Math.abs(variance / exact.variance - 1) / Math.sqrt(2 / chains);
      worst.mean = Math.max(worst.mean, ofMean);
      worst.variance = Math.max(worst.variance, ofVariance);
    }
    const name = `N(0, 1), ${describe(run)}`;
    return [
      gate(`${name}: mean, standard errors from its closed form`, worst.mean, [null, DEVIATIONS]),
      gate(`${name}: variance, standard errors from its closed form`, worst.variance, [
        null,
        DEVIATIONS,
      ]),
    ];
  });
  const last = ({ points }: ScheduleRun) => points[points.length - 1];
  const judged = euler.filter(({ target, setting }) => setting.power === judgedPower(target));
  const pairs = judged.flatMap((run) => {
    const constant = euler.find(({ target, setting }) =>
      target === run.target && setting.power === 0 &&
      setting.gradientNoise === run.setting.gradientNoise
    );
    const isClear = constant !== undefined &&
      last(constant).distance >= 2 * (floors[run.target] ?? 0);
    return isClear ? [{ run, constant }] : [];
  });
  const passing = pairs.map(({ run, constant }) => {
    // W2 of Gaussians from moments on N(0, 1), where sampling error does not add to it.
    const isNormal = run.target === NORMAL;
    const distance = (of: ScheduleRun) =>
      isNormal
        ? Math.hypot(last(of).mean, Math.sqrt(last(of).square - last(of).mean ** 2) - 1)
        : last(of).distance;
    const limit = isNormal ? 0.5 : 1;
    return gate(
      `${run.target}, ${describe(run)}: last W2 over that of the constant step`,
      distance(run) / distance(constant),
      [null, limit],
    );
  });
  return [...moments, ...passing];
}
