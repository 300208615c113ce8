import assert from "node:assert/strict";
import {
  estimateSweep,
  formatDuration,
  paceKey,
  pacesOf,
  secondsPerStep,
  stepsOfRun,
} from "./estimate.ts";
import { resolveRuns } from "./spec.ts";
import { TINY_DATASET, TINY_EXPERIMENT, TINY_TABLES, tinyRecord } from "../testing/tiny.ts";
import type { EpochRecord, RunRecord, RunSpec } from "../core/types.ts";

const epoch = (index: number, seconds: number): EpochRecord => ({
  epoch: index,
  seconds,
  warmup: index === 0,
  steps: 4,
  metrics: {},
});

const [SPEC] = resolveRuns(TINY_EXPERIMENT, TINY_TABLES);

const record = (spec: RunSpec): RunRecord => ({
  ...tinyRecord(spec),
  seconds: { train: 24, sample: 3, score: 2, other: 1 },
  epochs: [epoch(0, 12), epoch(1, 8), epoch(2, 4)],
  status: "completed",
  scores: {},
  untrained: {},
});

Deno.test("secondsPerStep() ignores the warm-up if there are other epochs", () => {
  assert.equal(secondsPerStep([epoch(0, 12), epoch(1, 8), epoch(2, 4)]), 1.5);
  assert.equal(secondsPerStep([epoch(0, 12)]), 3);
  assert.equal(secondsPerStep([]), undefined);
});

Deno.test("paceKey() depends on the work of a step, not on seed or length", () => {
  assert.equal(paceKey({ ...SPEC, seed: 5, epochs: 100, trainCount: 8 }), paceKey(SPEC));
  assert.notEqual(paceKey({ ...SPEC, threads: 2 }), paceKey(SPEC));
  assert.notEqual(paceKey({ ...SPEC, hyper: { ...SPEC.hyper, rate: 0.1 } }), paceKey(SPEC));
});

Deno.test("estimateSweep() adds known runs and counts unknown ones as their mean", () => {
  const paces = pacesOf([record(SPEC)]);
  const run = { key: paceKey(SPEC), steps: stepsOfRun({ ...SPEC, epochs: 10 }, TINY_DATASET) };
  assert.equal(run.steps, 40);
  // 40 steps at 1.5 s, and 6 s beside training.
  assert.deepEqual(estimateSweep([run], { paces, jobs: 1 }), { seconds: 66, guessed: 0 });
  const stranger = { key: "other", steps: 1 };
  assert.deepEqual(estimateSweep([run, stranger], { paces, jobs: 2 }), { seconds: 66, guessed: 1 });
  assert.deepEqual(estimateSweep([stranger], { paces, jobs: 1 }), {
    seconds: undefined,
    guessed: 1,
  });
  assert.deepEqual(estimateSweep([], { paces, jobs: 1 }), { seconds: 0, guessed: 0 });
});

Deno.test("formatDuration() uses at most two units", () => {
  const cases: [number, string][] = [
    [0.4, "0 s"],
    [59.6, "1 min 0 s"],
    [95, "1 min 35 s"],
    [599.4, "9 min 59 s"],
    [601, "10 min"],
    [3599, "1 h 0 min"],
    [5400, "1 h 30 min"],
    [100 * 3600, "4 d 4 h"],
  ];
  for (const [seconds, text] of cases) assert.equal(formatDuration(seconds), text);
});
