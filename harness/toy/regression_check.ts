/**
 * The regression check of the samplers: short runs of the suite and the default chains of the methods, held to gates and to a
 * baseline.
 *
 * @module
 */
import type { Device } from "../core/types.ts";
import type { ToyRow } from "../core/toy_report.ts";
import type { GaussianTarget, MethodChain, Sampler, Target } from "../core/toy_types.ts";
import type { SamplerSettings } from "../core/toy_types.ts";
import { gapName, sweepWidths } from "./amortization_gap.ts";
import {
  type Baseline,
  compare,
  compareSettings,
  type Failure,
  type Rules,
  type Settings,
} from "./baseline.ts";
import { collect, type Job, runJobs } from "./jobs.ts";
import { runMethodChain } from "./method_chain.ts";
import { openTarget, runToy } from "./run_sampler.ts";
import { GATE_DEVIATIONS } from "./score_run.ts";
import { movesOf, runSingleMoves } from "./single_moves.ts";

/** Samplers on a target, with the target's settings or others. */
export interface CheckPart {
  readonly target: string;
  readonly samplers: readonly string[];
  readonly overrides?: Partial<SamplerSettings>;
}

/** The suite that is checked. */
export interface CheckSuite {
  readonly parts: readonly CheckPart[];
  readonly samplers: Readonly<Record<string, Sampler>>;
  readonly targets: Readonly<Record<string, Target>>;
  /** Chains of methods, with the Gaussian targets that they name. */
  readonly chains: readonly { readonly chain: MethodChain; readonly target: GaussianTarget }[];
  /** Samplers whose single moves are checked on every target. */
  readonly movers: readonly Sampler[];
  /** Widths at which variances are compared with leverages. */
  readonly gaps: readonly {
    readonly sampler: Sampler;
    readonly target: GaussianTarget;
    readonly widths: readonly number[];
  }[];
}

/** Options of `runCheck`. */
export interface CheckOptions {
  readonly seed: number;
  /** One for each run at a time. */
  readonly devices: readonly Device[];
  /** Called with a line about each run that is over. */
  readonly report?: (line: string) => void;
}

/** Runs the check, and resolves to its rows. */
export async function runCheck(
  { parts, samplers, targets, chains, movers, gaps }: CheckSuite,
  { seed, devices, report = () => {} }: CheckOptions,
): Promise<ToyRow[]> {
  const jobs: Job<readonly ToyRow[]>[] = [];
  for (const { target, samplers: names, overrides } of parts) {
    const open = await openTarget(targets[target], devices[0]);
    for (const name of names) {
      const sampler = samplers[name];
      jobs.push({
        group: open.target.label,
        name: sampler.label,
        work: async (device) => (await runToy(sampler, { ...open, device, seed, overrides })).rows,
      });
    }
  }
  for (const { chain, target } of chains) {
    jobs.push({
      group: "Chains of the methods",
      name: chain.label,
      work: (device) => runMethodChain(chain, { target, device, seed }),
    });
  }
  for (const target of Object.values(targets)) {
    for (const sampler of movers) {
      jobs.push({
        group: "Single moves",
        name: `${sampler.label} on ${target.label}`,
        work: (device) => runSingleMoves(sampler, { target, device, seed }),
      });
    }
  }
  for (const { sampler, target, widths } of gaps) {
    jobs.push({
      group: "Amortization gap",
      name: sampler.label,
      work: async (device) => (await sweepWidths(sampler, { target, device, seed, widths })).rows,
    });
  }
  const runs = collect(jobs);
  await runJobs(runs.jobs, { devices, report });
  return runs.results.flat();
}

/** The hyperparameters of the methods' chains, which the check certifies. */
export function certifiedSettings({ chains, parts, samplers }: CheckSuite): Settings {
  const used = parts.flatMap(({ samplers: names }) => names.map((name) => samplers[name]));
  return Object.fromEntries(
    [...chains.map(({ chain }) => chain), ...used].flatMap(({ name, hyper }) =>
      hyper ? [[name, hyper]] : []
    ),
  );
}

/** The rule of everything that the check runs. */
export function rulesOf({ chains, movers, samplers }: CheckSuite): Rules {
  const named = [
    ...chains.map(({ chain }) => chain),
    ...movers.map((mover) => ({ ...mover, name: movesOf(mover) })),
    ...Object.values(samplers),
  ];
  return new Map(
    named.flatMap(({ name, rule }) => rule === undefined ? [] : [[name, rule] as const]),
  );
}

/** The part of a suite that runs by these rules or belongs to these methods. */
export function suiteOf(suite: CheckSuite, names: readonly string[]): CheckSuite {
  const isOf = ({ rule = "", method = "" }: Pick<Sampler, "rule" | "method">) =>
    names.includes(rule) || names.includes(method);
  const { parts, samplers, chains, movers, gaps } = suite;
  return {
    ...suite,
    parts: parts
      .map((part) => ({ ...part, samplers: part.samplers.filter((name) => isOf(samplers[name])) }))
      .filter((part) => part.samplers.length > 0),
    chains: chains.filter(({ chain }) => isOf(chain)),
    movers: movers.filter(isOf),
    gaps: gaps.filter(({ sampler }) => isOf(sampler)),
  };
}

/** As `suiteOf`, with its part of the baseline. */
export function partOf(
  { suite, baseline }: { readonly suite: CheckSuite; readonly baseline: Baseline },
  names: readonly string[],
): { readonly suite: CheckSuite; readonly baseline: Baseline } {
  const part = suiteOf(suite, names);
  const kept = new Set([
    ...part.parts.flatMap(({ samplers }) => samplers),
    ...part.chains.map(({ chain }) => chain.name),
    ...part.movers.map(movesOf),
    ...part.gaps.flatMap(({ sampler, widths }) => widths.map((d) => gapName(sampler, d))),
  ]);
  const { settings, rows } = baseline;
  return {
    suite: part,
    baseline: {
      ...baseline,
      settings: Object.fromEntries(Object.entries(settings).filter(([chain]) => kept.has(chain))),
      rows: rows.filter(({ sampler }) => kept.has(sampler)),
    },
  };
}

/** The targets on which a suite runs samplers by one of these rules: every target, of a rule whose single moves it checks. */
export function targetsOf(
  { parts, samplers, movers, targets }: CheckSuite,
  rules: readonly string[],
): string[] {
  const isOf = ({ rule = "" }: Sampler) => rules.includes(rule);
  if (movers.some(isOf)) return Object.keys(targets);
  return parts.filter((part) => part.samplers.some((name) => isOf(samplers[name])))
    .map(({ target }) => target);
}

/** The rules and methods of a suite: what `partOf` takes. */
export function partsOf({ chains, movers, samplers }: CheckSuite): string[] {
  const all = [...chains.map(({ chain }) => chain), ...movers, ...Object.values(samplers)];
  return [...new Set(all.flatMap(({ rule = [], method = [] }) => [rule, method].flat()))];
}

/** Everything that is not as the baseline and the gates ask. */
export function judge(
  suite: CheckSuite,
  { rows, baseline }: { readonly rows: readonly ToyRow[]; readonly baseline: Baseline },
): Failure[] {
  const rules = rulesOf(suite);
  return [
    ...compareSettings(certifiedSettings(suite), { baseline, rules }),
    ...compare(rows, { baseline, deviations: GATE_DEVIATIONS, rules }),
  ];
}
