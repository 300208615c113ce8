import assert from "node:assert/strict";
import { standardNormal } from "../../datasets/toy/standard_normal.ts";
import { scheduled, SCHEDULED_RULES } from "../../methods/toy/scheduled.ts";
import { openDevice } from "../engine/device.ts";
import type { ScheduleSetting } from "../core/schedule_types.ts";
import { openTruth } from "./open_truth.ts";
import { eulerMoments, gatesOf, runSchedules } from "./schedule.ts";

const setting: ScheduleSetting = {
  stepSize: 0.5,
  delay: 20,
  power: 0,
  gradientNoise: 0,
  gradientBias: 0,
};

Deno.test("eulerMoments() has the stationary variance of a constant step, and the target's in the limit of a decreasing one", () => {
  const { mean, variance } = eulerMoments(setting, 2000);
  assert.ok(Math.abs(variance - 1 / (1 - 0.25)) < 1e-12);
  assert.equal(mean, 0);
  // With noise: (2 gamma + gamma^2) / (1 - (1 - gamma)^2); with a bias of c gamma: -c gamma.
  const noisy = eulerMoments({ ...setting, gradientNoise: 1, gradientBias: 0.4 }, 2000);
  assert.ok(Math.abs(noisy.variance - 1.25 / 0.75) < 1e-12);
  assert.ok(Math.abs(noisy.mean + 0.4 * 0.5) < 1e-12);
  const decreasing = { ...setting, power: 0.8, gradientNoise: 1, gradientBias: 0.4 };
  const excess = [1e3, 1e4, 1e5].map((steps) => eulerMoments(decreasing, steps).variance - 1);
  // To first order the excess is gamma_k (1 + sigma_Z^2) / 2.
  const gamma = 0.5 * (1 + 1e5 / 20) ** -0.8;
  assert.ok(Math.abs(excess[2] / gamma - 1) < 0.02, `${excess}`);
  assert.ok(excess[0] > excess[1] && excess[1] > excess[2]);
});

const RULES = Object.entries(SCHEDULED_RULES);

Deno.test("scheduled() chains of every rule have the moments and distances that theory says", async () => {
  const cases = RULES.flatMap(([rule, entry]) =>
    [0, 0.8].map((power) => {
      const own = { ...setting, power, gradientNoise: 1, gradientBias: 0.5 };
      const sampler = scheduled(entry, own);
      return { target: standardNormal, rule, label: entry.label, setting: own, sampler };
    })
  );
  await using device = await openDevice("cpu", { threads: 1 });
  const truths = { standard_normal: await openTruth(standardNormal, device) };
  const report = await runSchedules(cases, {
    truths,
    devices: [device],
    seed: 0,
    report: () => {},
    chains: 2000,
    doublings: 4,
  });
  assert.deepEqual(report.gates.filter(({ passed }) => !passed), []);
  assert.equal(report.gates.length, 2 * 2 + 1);
  for (const [rule, { integrator }] of RULES) {
    const [constant, decreasing] = report.runs.filter((run) => run.rule === rule)
      .map(({ points }) => points[points.length - 1]);
    assert.equal(decreasing.gradients, 160 * integrator.gradients);
    assert.ok(decreasing.distance < constant.distance, rule);
  }
});

Deno.test("gatesOf() notices noise that is too strong, and a step size that does not fall", async () => {
  const entry = SCHEDULED_RULES.euler;
  const right = { ...setting, power: 0.8, gradientNoise: 1 };
  const constant = { ...setting, gradientNoise: 1 };
  const wrong = [
    { ...right, gradientNoise: 1.5 },
    { ...right, power: 0 },
    { ...right, gradientBias: 1 },
  ];
  await using device = await openDevice("cpu", { threads: 1 });
  const truths = { standard_normal: await openTruth(standardNormal, device) };
  const of = (said: ScheduleSetting, done: ScheduleSetting) => ({
    target: standardNormal,
    rule: "euler",
    label: "LD",
    setting: said,
    sampler: scheduled(entry, done),
  });
  const { runs, chains } = await runSchedules(
    [of(constant, constant), ...wrong.map((done) => of(right, done))],
    { truths, devices: [device], seed: 0, report: () => {}, chains: 2000, doublings: 3 },
  );
  const [first, ...others] = runs;
  for (const run of others) {
    const failed = gatesOf([first, run], chains).filter(({ passed }) => !passed);
    assert.ok(failed.length > 0, JSON.stringify(run.points.slice(-1)));
  }
});
