/**
 * Tuning at equal budgets: for every method the same number of trials of the same number of steps, random search over the
 * ranges that it declares, scored on held-out images; then the untuned trial and the best few again with new seeds, and the
 * choice by their mean, so that no lucky seed decides. A run with an unstable chain does not sample from its model, whatever
 * it scores, and ranks behind all runs without. Every trial is a run of the harness: recorded, resumable.
 *
 * @module
 */
import type { Hyperparams, Metric } from "../core/types.ts";
import type { Experiment, RunRecord, RunSpec } from "../core/records.ts";
import { lookUp, resolveHyper, resolveRuns, runId, type Tables } from "../experiment/spec.ts";
import { judgeChain } from "../statistics/chain_health.ts";
import { mean, sampleStd } from "../statistics/summary.ts";
import { expectedBest, trialHyper } from "./search_space.ts";

/** The seed of the search's trials, and the first of the finalists'; tables use others. */
const SEARCH_SEED = 9000;
const FINAL_SEED = 9001;

/** How much is spent on each method. */
export interface Budget {
  /** Trials of the search; the first has the preset's settings. */
  readonly trials: number;
  /** Trials that are run again besides the untuned one, and with how many new seeds. */
  readonly finalists: number;
  readonly seeds: number;
}

/** A trial of the search. */
export interface Trial {
  readonly method: string;
  readonly index: number;
  /** The hyperparameters in which it differs from the preset's settings. */
  readonly changed: Hyperparams;
  readonly spec: RunSpec;
}

/** The trials of the search for every method of `experiment`, on its one data set. Throws UsageError for settings that cannot work. */
export function searchTrials(
  experiment: Experiment,
  { tables, trials }: { readonly tables: Tables; readonly trials: number },
): Trial[] {
  const [dataset] = experiment.datasets;
  return experiment.methods.flatMap((name) => {
    const method = lookUp(tables.methods, "method", name);
    const base = resolveHyper(experiment, { method, dataset });
    return Array.from({ length: trials }, (_, index): Trial => {
      const hyper = trialHyper(method, { base, index });
      const [spec] = resolveRuns({
        ...experiment,
        methods: [name],
        seeds: [SEARCH_SEED],
        hyper: { [name]: hyper },
      }, tables);
      const changed = Object.entries(hyper).filter(([key, value]) => value !== base[key]);
      return { method: name, index, changed: Object.fromEntries(changed), spec };
    });
  });
}

/** The outcome of a run, by which runs are ranked. */
export interface Outcome {
  /** Infinite for a run that did not complete or is worthless. Lower is better, whatever the metric. */
  readonly score: number;
  /** Whether a chain of the run has no stationary distribution, see `judgeChain`. */
  readonly unstable: boolean;
}

/** Outcomes by the id of a run. */
export type OutcomeOf = (id: string) => Outcome;

/** Reads `metric` from `records`; a run that is not among them is lost. */
export function outcomesOf(records: readonly RunRecord[], metric: Metric): OutcomeOf {
  const sign = metric.better === "lower" ? 1 : -1;
  const outcomes = new Map(records.map((record) => [
    record.id,
    record.status === "completed"
      ? {
        score: sign * record.scores[metric.name],
        unstable: record.chainHealth?.some((health) => judgeChain(health).verdict === "unstable") ??
          false,
      }
      : LOST,
  ]));
  return (id) => outcomes.get(id) ?? LOST;
}

const LOST: Outcome = { score: Infinity, unstable: false };

/** The better one first. */
function compareOutcomes(a: Outcome, b: Outcome): number {
  return Number(a.unstable) - Number(b.unstable) || a.score - b.score;
}

/** The runs of the finalists, the untuned trial of each method and its best ones, again with new seeds. */
export function finalRuns(
  trials: readonly Trial[],
  { outcomeOf, budget }: { readonly outcomeOf: OutcomeOf; readonly budget: Budget },
): { readonly trial: Trial; readonly specs: readonly RunSpec[] }[] {
  const methods = [...new Set(trials.map(({ method }) => method))];
  return methods.flatMap((name) => {
    const outcome = ({ spec }: Trial) => outcomeOf(runId(spec));
    const [untuned, ...others] = trials.filter(({ method }) => method === name);
    const ranked = others
      .filter((trial) => Number.isFinite(outcome(trial).score))
      .toSorted((a, b) => compareOutcomes(outcome(a), outcome(b)));
    return [untuned, ...ranked.slice(0, budget.finalists)].map((trial) => ({
      trial,
      specs: Array.from(
        { length: budget.seeds },
        (_, i) => ({ ...trial.spec, seed: FINAL_SEED + i }),
      ),
    }));
  });
}

/** A finalist's scores over its seeds. */
export interface Finalist {
  readonly index: number;
  readonly changed: Hyperparams;
  readonly scores: readonly number[];
  /** Seeds with an unstable chain. */
  readonly unstable: number;
  readonly mean: number;
  readonly std: number | null;
}

/** The outcome for one method. */
export interface Tuned {
  readonly method: string;
  /** Scores of the search's trials by index; the first is that of the preset's settings. */
  readonly trials: readonly (Outcome & { readonly changed: Hyperparams })[];
  /** Expected best of n trials, n = 1 to all. */
  readonly expectedBest: readonly number[];
  /** The preset's settings with the seeds of the finalists. */
  readonly untuned: Finalist;
  /** Those without unstable chains first, then the best mean; the untuned settings are one of them. */
  readonly finalists: readonly Finalist[];
  /** Median seconds of a trial. */
  readonly seconds: number;
}

/** The outcome of the search and of the finals for every method, in the order of `trials`. */
export function summarise(
  trials: readonly Trial[],
  { records, metric, finals }: {
    readonly records: readonly RunRecord[];
    readonly metric: Metric;
    readonly finals: ReturnType<typeof finalRuns>;
  },
): Tuned[] {
  const outcomeOf = outcomesOf(records, metric);
  const seconds = new Map(records.map((record) => [
    record.id,
    Object.values(record.seconds).reduce((sum, s) => sum + s, 0),
  ]));
  const methods = [...new Set(trials.map(({ method }) => method))];
  return methods.map((name): Tuned => {
    const own = trials.filter(({ method }) => method === name);
    const outcomes = own.map(({ spec }) => outcomeOf(runId(spec)));
    const scores = outcomes.map(({ score }) => score);
    const times = own.map(({ spec }) => seconds.get(runId(spec)) ?? 0).toSorted((a, b) => a - b);
    const finalists = finals.filter(({ trial }) => trial.method === name)
      .map(({ trial, specs }) => finalistOf(trial, specs.map((spec) => outcomeOf(runId(spec)))));
    return {
      method: name,
      trials: own.map(({ changed }, i) => ({ changed, ...outcomes[i] })),
      expectedBest: scores.map((_, i) => expectedBest(scores, i + 1)),
      untuned: finalists[0],
      finalists: finalists.toSorted((a, b) =>
        Math.sign(a.unstable) - Math.sign(b.unstable) || a.mean - b.mean
      ),
      seconds: times[times.length >> 1],
    };
  });
}

function finalistOf({ index, changed }: Trial, outcomes: readonly Outcome[]): Finalist {
  const scores = outcomes.map(({ score }) => score);
  return {
    index,
    changed,
    scores,
    unstable: outcomes.filter(({ unstable }) => unstable).length,
    mean: mean(scores),
    std: scores.every(Number.isFinite) ? sampleStd(scores) : null,
  };
}
