import assert from "node:assert/strict";
import type { Method, Metric } from "../core/types.ts";
import type { RunRecord } from "../core/records.ts";
import { runId } from "../experiment/spec.ts";
import {
  TINY_EXPERIMENT,
  TINY_METHOD,
  TINY_METRIC,
  TINY_TABLES,
  tinyRecord,
} from "../testing/tiny.ts";
import { finalRuns, outcomesOf, searchTrials, summarise } from "./tune.ts";

const tiny: Method = {
  ...TINY_METHOD,
  ranges: { rate: { scale: "linear", low: 0.1, high: 0.9 } },
};
const tables = { ...TINY_TABLES, methods: { tiny, other: { ...tiny, name: "other" } } };
const experiment = {
  ...TINY_EXPERIMENT,
  methods: ["tiny", "other"],
  hyper: { tiny: { note: "x" } },
};
const budget = { trials: 5, finalists: 2, seeds: 3 };
const metric = TINY_METRIC as Metric;
const trials = searchTrials(experiment, { tables, trials: budget.trials });

const HEALTH = {
  chain: "posterior",
  count: 50,
  dimension: 2,
  steps: 8,
  stepSize: 0.1,
  acceptance: { mean: 0.9, standardError: 0.01 },
  drift: { mean: 0, standardError: 0.1 },
  virial: { mean: 1, standardError: 0.1 },
};

/** A run whose score is its distance from rate 0.5, worse by a hundredth a seed; one of `lost` diverged. */
function recordOf(spec: RunRecord["spec"], lost = false, unstable = false): RunRecord {
  const scores = { gap: Math.abs(Number(spec.hyper.rate) - 0.5) + spec.seed / 100 };
  return {
    ...tinyRecord(spec),
    ...(lost
      ? { status: "diverged", epoch: 0, metric: "loss" }
      : { status: "completed", scores, untrained: {} }),
    ...unstable && { chainHealth: [{ ...HEALTH, stability: { quantile90: 3, largest: 3 } }] },
  } as RunRecord;
}

Deno.test("searchTrials() gives every method as many trials, the first with the experiment's settings", () => {
  assert.deepEqual(trials.map(({ method, index }) => `${method}${index}`), [
    ...[0, 1, 2, 3, 4].map((i) => `tiny${i}`),
    ...[0, 1, 2, 3, 4].map((i) => `other${i}`),
  ]);
  assert.deepEqual(trials[0].changed, {});
  assert.equal(trials[0].spec.hyper.note, "x");
  assert.ok(trials.slice(1, 5).every(({ changed }) => Object.keys(changed).join() === "rate"));
  assert.equal(new Set(trials.map(({ spec }) => runId(spec))).size, trials.length);
  const { epochs, trainCount } = trials[0].spec;
  assert.ok(trials.every(({ spec }) => spec.epochs === epochs && spec.trainCount === trainCount));
});

Deno.test("finalRuns() runs the best trials again with seeds that the search did not use", () => {
  const records = trials.map(({ spec }, i) => recordOf(spec, i === 0)); // the untuned trial is lost
  const finals = finalRuns(trials, { outcomeOf: outcomesOf(records, metric), budget });
  const finalists = (of: typeof finals) =>
    of.filter(({ trial }) => trial.method === "tiny").map(({ trial }) => trial.index);
  const score = (rate: unknown) => Math.abs(Number(rate) - 0.5);
  const ranked = trials.slice(1, 5)
    .toSorted((a, b) => score(a.spec.hyper.rate) - score(b.spec.hyper.rate))
    .map(({ index }) => index);
  assert.deepEqual(
    finalists(finals),
    [0, ranked[0], ranked[1]],
    "the untuned trial is in the finals",
  );
  // The best trial has an unstable chain: it ranks behind the others.
  const unstable = trials.map(({ spec, index }) => recordOf(spec, false, index === ranked[0]));
  const outcomeOf = outcomesOf(unstable, metric);
  assert.deepEqual(finalists(finalRuns(trials, { outcomeOf, budget })), [0, ranked[1], ranked[2]]);
  const seeds = finals[0].specs.map(({ seed }) => seed);
  assert.equal(new Set([...seeds, trials[0].spec.seed]).size, 4);
});

Deno.test("outcomesOf() turns a score around where higher is better", () => {
  const records = trials.map(({ spec }) => recordOf(spec));
  const id = runId(trials[1].spec);
  const lower = outcomesOf(records, metric)(id).score;
  assert.equal(outcomesOf(records, { ...metric, better: "higher" })(id).score, -lower);
});

Deno.test("summarise() chooses by the mean of the finals", () => {
  const records = trials.map(({ spec }, i) => recordOf(spec, i === 3));
  const finals = finalRuns(trials, { outcomeOf: outcomesOf(records, metric), budget });
  const all = [...records, ...finals.flatMap(({ specs }) => specs.map((spec) => recordOf(spec)))];
  const [first, other] = summarise(trials, { records: all, metric, finals });
  assert.deepEqual([first.method, other.method], ["tiny", "other"]);
  assert.equal(first.trials[3].score, Infinity);
  assert.equal(first.expectedBest[0], Infinity, "a mean over trials of which one diverged");
  assert.ok(first.expectedBest[4] < Infinity);
  const [best, second] = first.finalists;
  assert.ok(best.mean <= second.mean && best.scores.length === 3);
  assert.deepEqual([first.untuned.index, first.untuned.unstable], [0, 0]);
  assert.ok(Math.abs((best.std ?? NaN) - 0.01) < 1e-9, "seeds a hundredth apart");
});
