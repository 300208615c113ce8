/** Draws of exact samplers, and of wrong ones, judged as anyone's. The rates at which faults show: `deno task check:power`. */
import assert from "node:assert/strict";
import { TARGETS } from "../../datasets/toy/mod.ts";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { ld } from "../../methods/toy/ld.ts";
import type { Draws, Target } from "../core/toy_types.ts";
import type { Device } from "../core/types.ts";
import { openDevice } from "../engine/device.ts";
import { judgeDraws, type Judgement, posteriorOf } from "./judge_draws.ts";
import { openTruth } from "./open_truth.ts";
import { runChains } from "./run_chains.ts";
import type { Truth } from "./truth.ts";

const CHAINS = 4;

/** `count` exact draws in chains, [draws, chains, points, dim], changed by `change`. */
function exactDraws(
  { points, dim }: Target,
  { truth, count, change = (z) => z }: {
    readonly truth: Truth;
    readonly count: number;
    readonly change?: (z: number[], point: number) => number[];
  },
): Draws {
  const data = new Float32Array(count * points * dim);
  for (let point = 0; point < points; point++) {
    const sample = truth.draw(point % truth.count, { count, seed: `judged/${point}` });
    for (let n = 0; n < count; n++) {
      const z = [...sample.data.subarray(n * dim, (n + 1) * dim)];
      data.set(change(z, point), (n * points + point) * dim);
    }
  }
  return { count: count / CHAINS, chains: CHAINS, points, dim, data };
}

const failed = ({ rows }: Judgement) =>
  rows.filter(({ verdict }) => verdict === "fail").map(({ metric }) => metric);

/** One of the points where many share their posterior: a table of one target must not take long. */
const small = (target: Target): Target =>
  target.answer.kind === "grid" && target.answer.shared ? { ...target, points: 1 } : target;

for (const [name, whole] of Object.entries(TARGETS)) {
  Deno.test(`judgeDraws() passes exact draws of ${name}`, async () => {
    await using device = await openDevice("cpu", { threads: 1 });
    const target = small(whole);
    const truth = await openTruth(target, device);
    const draws = exactDraws(target, { truth, count: 2000 });
    const judgement = await judgeDraws(draws, { target, device, truth });
    assert.deepEqual(failed(judgement), []);
    assert.ok(judgement.rows.length >= 6);
  });
}

/** Judges changed draws of a target. */
async function judgeChanged(
  target: Target,
  change: (z: number[], point: number) => number[],
  device: Device,
): Promise<string[]> {
  const truth = await openTruth(target, device);
  const draws = exactDraws(target, { truth, count: 10_000, change });
  return failed(await judgeDraws(draws, { target, device, truth }));
}

Deno.test("judgeDraws() notices a shifted mean, a wider distribution and a missing mode", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const { correlated_50: gaussian, bivariate, eight_gaussians: ring } = TARGETS;
  const shifted = await judgeChanged(gaussian, ([a, ...z]) => [a + 0.1, ...z], device);
  assert.ok(shifted.includes("moments"), shifted.join()); // by 0.1 sd of one of 50 coordinates
  const { answer: { means } } = bivariateGaussian;
  const widen = (z: number[], point: number) =>
    z.map((v, k) => means[point][k] + (v - means[point][k]) * Math.sqrt(1.1));
  const wide = await judgeChanged(bivariate, widen, device);
  assert.ok(wide.includes("energy") && wide.includes("covariance_error"), wide.join());
  // The mode at (4, 0) is turned into its neighbour.
  const [c, s] = [Math.cos(Math.PI / 4), Math.sin(Math.PI / 4)];
  const missing = await judgeChanged(
    small(ring),
    ([x, y]) => Math.abs(Math.atan2(y, x)) < Math.PI / 8 ? [c * x - s * y, s * x + c * y] : [x, y],
    device,
  );
  assert.ok(missing.includes("mode_weights") && missing.includes("modes_missed"), missing.join());
});

Deno.test("judgeDraws() refuses to trust few effective draws, and draws that are no numbers", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const target = TARGETS.ring;
  const truth = await openTruth(target, device);
  const { data, ...size } = exactDraws(target, { truth, count: 2000 });
  // Every draw 20 times: 100 effective draws.
  const repeated = data.map((_, i) => data[Math.floor(i / 8 / 20) * 8 + i % 8]);
  const few = await judgeDraws({ ...size, data: repeated }, { target, device, truth });
  assert.ok(failed(few).includes("ess"), failed(few).join());
  data[0] = NaN;
  const broken = await judgeDraws({ ...size, data }, { target, device, truth });
  assert.deepEqual(failed(broken), ["not_finite"]);
});

Deno.test("judgeDraws() holds a discretised chain to the distribution at its step", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  for (const target of [TARGETS.bivariate, TARGETS.double_well]) {
    const stepSize = 3 * target.stepSize;
    const overrides = { chains: 256, stepSize, steps: 3000, burnIn: 1000, thin: 10 };
    const { draws } = await runChains(ld, { target, device, seed: 0, overrides });
    const options = { target, device, truth: await openTruth(target, device) };
    const law = { name: "euler", theory: ld, stepSize };
    assert.deepEqual(failed(await judgeDraws(draws, { ...options, law })), [], target.name);
    assert.ok(failed(await judgeDraws(draws, options)).includes("energy"), target.name);
    const other = { ...law, stepSize: target.stepSize };
    assert.ok(failed(await judgeDraws(draws, { ...options, law: other })).includes("energy"));
  }
});

Deno.test("posteriorOf() makes a target of one point with its density and gradient", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  for (const whole of [TARGETS.univariate, TARGETS.neural]) {
    const target = posteriorOf(whole, 1);
    const truth = await openTruth(target, device);
    const draws = exactDraws(target, { truth, count: 2000 });
    assert.deepEqual(failed(await judgeDraws(draws, { target, device, truth })), []);
    const other = posteriorOf(whole, 2);
    assert.notDeepEqual(failed(await judgeDraws(draws, { target: other, device })), []);
  }
  assert.throws(() => posteriorOf(TARGETS.univariate, 100), /points 0 to 99, got 100/);
});
