import type { Device } from "../core/types.ts";
import { sweepWidths } from "./amortization_gap.ts";
import { biasSlope, measureBias } from "./bias_slopes.ts";
import { compareToFits, COMPARISONS } from "./compare_fits.ts";
import { followConvergence } from "./convergence.ts";
import type {
  BiasPoint,
  BiasSlope,
  GapSweep,
  ToyReport,
  ToyRow,
  ToyRun,
} from "../core/toy_report.ts";
import { collect, type Job, runJobs } from "./jobs.ts";
import { runMethodChain } from "./method_chain.ts";
import { type OpenTarget, openTarget, runToy } from "./run_sampler.ts";
import { whyUngated } from "./ungated.ts";
import type { SuiteOptions } from "./suite_options.ts";
import { densitiesOf, normalsOf } from "./shown_posteriors.ts";
import { runSingleMoves } from "./single_moves.ts";
import { TOY_METRICS } from "./toy_metrics.ts";
import type { GaussianTarget, MethodChain, Sampler, Target } from "../core/toy_types.ts";

/** Samplers and targets: every sampler runs on every target, and some answer further questions. */
export interface ToySuite {
  readonly targets: readonly Target[];
  readonly samplers: readonly Sampler[];
  /** Two of the samplers: fits of Gaussians that the others are compared with. */
  readonly fits: { readonly diagonal: Sampler; readonly full: Sampler };
  /** Fig. 5. */
  readonly gaps: readonly { readonly sampler: Sampler; readonly target: GaussianTarget }[];
  /** Default chains of the methods, with the targets that they name. */
  readonly chains: readonly { readonly chain: MethodChain; readonly target: GaussianTarget }[];
  /** Samplers whose single moves are judged on every target. */
  readonly movers: readonly Sampler[];
  /** Fig. 3. */
  readonly convergence: {
    readonly samplers: readonly { readonly sampler: Sampler; readonly stepSize?: number }[];
    readonly target: GaussianTarget;
  };
  /** N(0, 1), where the samplers with a `bias` show it. */
  readonly normal: Target;
}

/** The part of a suite that has to do with these targets and samplers, by name; all of them by default. */
export function partOf(
  suite: ToySuite,
  { targets, samplers }: {
    readonly targets?: readonly string[];
    readonly samplers?: readonly string[];
  },
): ToySuite {
  const chosen = (names: readonly string[] | undefined, { name }: { readonly name: string }) =>
    names === undefined || names.includes(name);
  const { convergence } = suite;
  return {
    ...suite,
    targets: suite.targets.filter((target) => chosen(targets, target)),
    samplers: suite.samplers.filter((sampler) => chosen(samplers, sampler)),
    movers: suite.movers.filter((sampler) => chosen(samplers, sampler)),
    gaps: suite.gaps.filter((gap) => chosen(targets, gap.target) && chosen(samplers, gap.sampler)),
    chains: suite.chains.filter(({ chain, target }) =>
      chosen(targets, target) && chosen(samplers, chain)
    ),
    convergence: {
      ...convergence,
      samplers: chosen(targets, convergence.target)
        ? convergence.samplers.filter(({ sampler }) => chosen(samplers, sampler))
        : [],
    },
  };
}

/** Options of `benchToy`. */
export interface ToyBenchOptions {
  /** One for each run at a time. */
  readonly devices: readonly Device[];
  readonly seed: number;
  /** Called with a line about each run that is over. */
  readonly report: (line: string) => void;
}

/** Steps of the chains whose way to the posterior is followed. */
const CONVERGENCE_STEPS = 2000;

/** The rows of the suite that have a gate, and no more than these need. */
export async function runGated(
  { targets, samplers, fits, gaps, chains, movers }: Omit<ToySuite, "convergence" | "normal">,
  { devices, seed, report }: ToyBenchOptions,
): Promise<ToyRow[]> {
  const opened = await openAll(targets, devices[0]);
  const compared = new Set([fits.diagonal, fits.full]);
  const options = (device: Device): SuiteOptions => ({ device, seed });
  const runs = collect(
    opened.flatMap((open) =>
      samplers.filter((sampler) =>
        compared.has(sampler) || whyUngated(sampler, open.target) === null
      )
        .map((sampler) => samplerJob(sampler, { open, options }))
    ),
  );
  const sweeps = collect(gaps.map((gap) => sweepJob(gap, options)));
  const certified = collect(chains.map((chain) => chainJob(chain, options)));
  const moves = collect(moveJobs({ targets, movers }, options));
  await runJobs([...runs.jobs, ...sweeps.jobs, ...certified.jobs, ...moves.jobs], {
    devices,
    report,
  });
  const rows = [
    ...[...withComparisons(runs.results, { opened, fits }), ...sweeps.results]
      .flatMap(({ rows }) => rows),
    ...certified.results.flat(),
    ...moves.results.flat(),
  ];
  return rows.filter(({ verdict }) => verdict !== "shown");
}

/** Runs the whole suite. Throws an Error that names a target whose density cannot be used, before any sampling. */
export async function benchToy(
  { targets, samplers, fits, gaps, chains, movers, convergence, normal }: ToySuite,
  { devices, seed, report }: ToyBenchOptions,
): Promise<ToyReport> {
  const began = performance.now();
  const opened = await openAll(targets, devices[0]);
  const options = (device: Device): SuiteOptions => ({ device, seed });
  const runs = collect(
    opened.flatMap((open) => samplers.map((sampler) => samplerJob(sampler, { open, options }))),
  );
  const traces = collect(convergence.samplers.map(({ sampler, stepSize }) => ({
    group: "Way to the posterior",
    name: sampler.label,
    work: (device: Device) =>
      followConvergence(sampler, {
        ...options(device),
        target: convergence.target,
        steps: CONVERGENCE_STEPS,
        stepSize,
      }),
  })));
  const biases = collect(samplers.flatMap((sampler) => {
    const { name, label, bias } = sampler;
    if (!bias) return [];
    return {
      group: "Bias",
      name: label,
      work: async (device: Device): Promise<BiasRun> => {
        const points = await measureBias(sampler, { ...options(device), target: normal });
        return { points, slope: biasSlope(points, { sampler: name, label, order: bias.order }) };
      },
    };
  }));
  const sweeps = collect(gaps.map((gap) => sweepJob(gap, options)));
  const certified = collect(chains.map((chain) => chainJob(chain, options)));
  const moves = collect(moveJobs({ targets, movers }, options));
  const jobs = [
    ...runs.jobs,
    ...traces.jobs,
    ...biases.jobs,
    ...sweeps.jobs,
    ...certified.jobs,
    ...moves.jobs,
  ];
  await runJobs(jobs, { devices, report });
  return {
    schema: 1,
    seed,
    device: `${devices[0].description}, ${devices.length} runs at a time`,
    seconds: (performance.now() - began) / 1000,
    targets: targets.map(({ name, label, source, deviations }) => ({
      name,
      label,
      source,
      deviations,
    })),
    metrics: [...TOY_METRICS, ...COMPARISONS],
    runs: withComparisons(runs.results, { opened, fits }),
    convergence: traces.results,
    gap: {
      rows: sweeps.results.flatMap(({ rows }) => rows),
      points: sweeps.results.flatMap(({ points }) => points),
    },
    chains: chains.map(({ chain: { name, label, rule, hyper } }, i) => ({
      name,
      label,
      rule,
      hyper,
      rows: certified.results[i],
    })),
    moves: moves.results.flat(),
    bias: biases.results.flatMap(({ points }) => points),
    slopes: biases.results.map(({ slope }) => slope),
    densities: opened.flatMap(densitiesOf),
    normals: opened.flatMap(normalsOf),
  };
}

async function openAll(targets: readonly Target[], device: Device): Promise<OpenTarget[]> {
  const opened: OpenTarget[] = [];
  for (const target of targets) opened.push(await openTarget(target, device));
  return opened;
}

interface BiasRun {
  readonly points: BiasPoint[];
  readonly slope: BiasSlope;
}

type Options = (device: Device) => SuiteOptions;

function samplerJob(
  sampler: Sampler,
  { open, options }: { readonly open: OpenTarget; readonly options: Options },
): Job<ToyRun> {
  return {
    group: open.target.label,
    name: sampler.label,
    work: (device) => runToy(sampler, { ...open, ...options(device) }),
    remark: ({ rows }) => {
      const failed = rows.filter(({ verdict }) => verdict === "fail").map(({ metric }) => metric);
      return failed.length > 0 ? `, failed ${failed.join(", ")}` : "";
    },
  };
}

function sweepJob({ sampler, target }: ToySuite["gaps"][number], options: Options): Job<GapSweep> {
  return {
    group: "Amortization gap",
    name: sampler.label,
    work: (device) => sweepWidths(sampler, { ...options(device), target }),
  };
}

function chainJob(
  { chain, target }: ToySuite["chains"][number],
  options: Options,
): Job<readonly ToyRow[]> {
  return {
    group: "Chains of the methods",
    name: chain.label,
    work: (device) => runMethodChain(chain, { ...options(device), target }),
  };
}

function moveJobs(
  { targets, movers }: Pick<ToySuite, "targets" | "movers">,
  options: Options,
): Job<readonly ToyRow[]>[] {
  return targets.flatMap((target) =>
    movers.map((sampler) => ({
      group: "Single moves",
      name: `${sampler.label} on ${target.label}`,
      work: (device: Device) => runSingleMoves(sampler, { ...options(device), target }),
    }))
  );
}

/** Adds to each run its rows of comparisons. */
function withComparisons(
  runs: readonly ToyRun[],
  { opened, fits }: { readonly opened: readonly OpenTarget[]; readonly fits: ToySuite["fits"] },
): ToyRun[] {
  const names = { diagonal: fits.diagonal.name, full: fits.full.name };
  return opened.flatMap(({ target, truth }) => {
    const own = runs.filter(({ experiment }) => experiment === target.name);
    const added = compareToFits({
      runs: own,
      truth,
      fits: names,
      isGated: (target.ungated?.(fits.full) ?? null) === null,
    });
    return own.map((run) => ({
      ...run,
      rows: [...run.rows, ...added.filter(({ sampler }) => sampler === run.sampler)],
    }));
  });
}
