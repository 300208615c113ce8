/**
 * Tuning at equal budgets: for every method the same number of trials of the same number of steps, random search over the
 * ranges that it declares, scored on held-out images; then the best few trials again with new seeds, and the choice by their
 * mean, so that no lucky seed decides. Every trial is a run of the harness: recorded, resumable.
 *
 * @module
 */
import type { Hyperparams, Metric } from "../core/types.ts";
import type { Experiment, RunRecord, RunSpec } from "../core/records.ts";
import { lookUp, resolveHyper, resolveRuns, runId, type Tables } from "../experiment/spec.ts";
import { mean, sampleStd } from "../statistics/summary.ts";
import { expectedBest, trialHyper } from "./search_space.ts";

/** The seed of the search's trials, and the first of the finalists'; tables use others. */
const SEARCH_SEED = 9000;
const FINAL_SEED = 9001;

/** How much is spent on each method. */
export interface Budget {
  /** Trials of the search; the first has the preset's settings. */
  readonly trials: number;
  /** Trials that are run again, and with how many new seeds. */
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

/** Scores by the id of a run: infinite for one that did not complete or is worthless. Lower is better, whatever the metric. */
export type ScoreOf = (id: string) => number | undefined;

/** Reads `metric` from `records`. */
export function scoresOf(records: readonly RunRecord[], metric: Metric): ScoreOf {
  const sign = metric.better === "lower" ? 1 : -1;
  const scores = new Map(records.map((record) => [
    record.id,
    record.status === "completed" ? sign * record.scores[metric.name] : Infinity,
  ]));
  return (id) => scores.get(id);
}

/** The runs of the finalists: the best trials of each method again, with new seeds. */
export function finalRuns(
  trials: readonly Trial[],
  { scoreOf, budget }: { readonly scoreOf: ScoreOf; readonly budget: Budget },
): { readonly trial: Trial; readonly specs: readonly RunSpec[] }[] {
  const methods = [...new Set(trials.map(({ method }) => method))];
  return methods.flatMap((name) => {
    const score = ({ spec }: Trial) => scoreOf(runId(spec)) ?? Infinity;
    const ranked = trials.filter(({ method }) => method === name)
      .filter((trial) => Number.isFinite(score(trial)))
      .toSorted((a, b) => score(a) - score(b));
    return ranked.slice(0, budget.finalists).map((trial) => ({
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
  readonly mean: number;
  readonly std: number | null;
}

/** The outcome for one method. */
export interface Tuned {
  readonly method: string;
  /** Scores of the search's trials by index; the first is that of the preset's settings. */
  readonly trials: readonly { readonly changed: Hyperparams; readonly score: number }[];
  /** Expected best of n trials, n = 1 to all. */
  readonly expectedBest: readonly number[];
  /** Best mean first. */
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
  const scoreOf = scoresOf(records, metric);
  const seconds = new Map(records.map((record) => [
    record.id,
    Object.values(record.seconds).reduce((sum, s) => sum + s, 0),
  ]));
  const methods = [...new Set(trials.map(({ method }) => method))];
  return methods.map((name): Tuned => {
    const own = trials.filter(({ method }) => method === name);
    const scores = own.map(({ spec }) => scoreOf(runId(spec)) ?? Infinity);
    const times = own.map(({ spec }) => seconds.get(runId(spec)) ?? 0).toSorted((a, b) => a - b);
    return {
      method: name,
      trials: own.map(({ changed }, i) => ({ changed, score: scores[i] })),
      expectedBest: scores.map((_, i) => expectedBest(scores, i + 1)),
      finalists: finals.filter(({ trial }) => trial.method === name).map(({ trial, specs }) => {
        const values = specs.map((spec) => scoreOf(runId(spec)) ?? Infinity);
        return {
          index: trial.index,
          changed: trial.changed,
          scores: values,
          mean: mean(values),
          std: values.every(Number.isFinite) ? sampleStd(values) : null,
        };
      }).toSorted((a, b) => a.mean - b.mean),
      seconds: times[times.length >> 1],
    };
  });
}
