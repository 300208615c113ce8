/**
 * How often `deno task check --draws` notices wrong draws, by the number of effective draws: simulated.
 *
 * `deno task check:power`
 *
 * @module
 */
import { bivariateGaussian } from "../datasets/toy/bivariate_gaussian.ts";
import { doubleWell } from "../datasets/toy/double_well.ts";
import { TARGETS } from "../datasets/toy/mod.ts";
import { ld } from "../methods/toy/ld.ts";
import { readCounts, readOptions } from "../harness/cli/arguments.ts";
import { runProgram } from "../harness/cli/programs.ts";
import { draws as noiseDraws, foldIn, keyOf } from "../harness/core/noise.ts";
import { openLiveLine } from "../harness/core/live_line.ts";
import type { Draws, Target } from "../harness/core/toy_types.ts";
import type { Device } from "../harness/core/types.ts";
import { openDevice } from "../harness/engine/device.ts";
import { judgeDraws, posteriorOf } from "../harness/toy/judge_draws.ts";
import { openTruth } from "../harness/toy/open_truth.ts";
import { runChains } from "../harness/toy/run_chains.ts";
import type { Truth } from "../harness/toy/truth.ts";

/** Chains into which draws are divided. */
const CHAINS = 4;
/** Numbers of effective draws. */
const SIZES = [1_000, 3_000, 10_000, 30_000];

/** A fault of draws: what it makes of exact ones. */
interface Fault {
  readonly name: string;
  readonly target: Target;
  /** Numbers of effective draws at which it is tried; SIZES by default. */
  readonly sizes?: readonly number[];
  make(
    size: number,
    context: { readonly truth: Truth; readonly seed: number; readonly device: Device },
  ): Draws | Promise<Draws>;
}

/** One posterior, so that the table speaks of a single distribution. */
const bivariate = posteriorOf(bivariateGaussian, 0);
const [mean] = bivariateGaussian.answer.means;
const sd = bivariateGaussian.answer.covariance.map((row, i) => Math.sqrt(row[i]));
const eight = { ...TARGETS.eight_gaussians, points: 1 };

const FAULTS: readonly Fault[] = [
  ...Object.values(TARGETS).map((target): Fault => ({
    name: `none: ${target.name}`,
    target: target.answer.kind === "grid" && target.answer.shared
      ? { ...target, points: 1 }
      : target,
    sizes: [10_000],
    make: (size, context) => changed(target, size, context, (z) => z),
  })),
  {
    name: "variance × 1.1",
    target: bivariate,
    make: (size, context) =>
      changed(
        bivariate,
        size,
        context,
        (z) => z.map((v, k) => mean[k] + (v - mean[k]) * Math.sqrt(1.1)),
      ),
  },
  {
    name: "mean + 0.1 sd in one coordinate",
    target: bivariate,
    make: (size, context) => changed(bivariate, size, context, ([x, y]) => [x + 0.1 * sd[0], y]),
  },
  {
    name: "one of eight modes missing",
    target: eight,
    make: (size, context) =>
      changed(eight, size, context, ([x, y]) => {
        const [c, s] = [Math.cos(Math.PI / 4), Math.sin(Math.PI / 4)];
        return Math.abs(Math.atan2(y, x)) < Math.PI / 8 ? [c * x - s * y, s * x + c * y] : [x, y];
      }),
  },
  {
    name: "correlation 0.99 between draws",
    target: bivariate,
    sizes: [50, 100, 150],
    make: (size, { truth, seed }) => autoregression(bivariate, size, { truth, seed }),
  },
  {
    name: "Euler's bias at step 0.04 (energy + 0.11)",
    target: bivariate,
    make: (size, context) => eulerDraws(bivariate, size, 0.04, context),
  },
  {
    name: "Euler's bias at step 0.02 on the double well",
    target: doubleWell,
    make: (size, context) => eulerDraws(doubleWell, size, 0.02, context),
  },
];

/** Exact draws, changed. */
function changed(
  { points, dim, answer }: Target,
  size: number,
  { truth, seed }: { readonly truth: Truth; readonly seed: number },
  change: (z: number[]) => number[],
): Draws {
  const count = answer.kind === "grid" && answer.shared ? 1 : points;
  const data = new Float32Array(size * count * dim);
  for (let point = 0; point < count; point++) {
    const sample = truth.draw(point, { count: size, seed: `power/${seed}/${point}` });
    for (let n = 0; n < size; n++) {
      const z = change([...sample.data.subarray(n * dim, (n + 1) * dim)]);
      data.set(z, (n * count + point) * dim);
    }
  }
  return { count: size / CHAINS, chains: CHAINS, points: count, dim, data };
}

/** Chains z' = m + 0.99 (z - m) + noise, started in the posterior, as long as `size` effective draws take. */
function autoregression(
  { dim }: Target,
  size: number,
  { truth, seed }: { readonly truth: Truth; readonly seed: number },
): Draws {
  const correlation = 0.99;
  const count = Math.round(size * (1 + correlation) / (1 - correlation) / CHAINS);
  const fresh = truth.draw(0, { count: count * CHAINS, seed: `power/${seed}/ar` }).data;
  const data = new Float32Array(fresh.length);
  const row = CHAINS * dim;
  for (let i = 0; i < data.length; i++) {
    const away = fresh[i] - mean[i % dim];
    const before = i < row ? away : data[i - row] - mean[i % dim];
    const innovation = Math.sqrt(1 - correlation ** 2) * away;
    data[i] = mean[i % dim] + (i < row ? away : correlation * before + innovation);
  }
  return { count, chains: CHAINS, points: 1, dim, data };
}

/** Draws of Euler's rule, of which so many chains make about `size` effective ones: one draw of each long chain. */
async function eulerDraws(
  target: Target,
  size: number,
  stepSize: number,
  { seed, device }: { readonly seed: number; readonly device: Device },
): Promise<Draws> {
  const burnIn = 2_000;
  const { draws } = await runChains(ld, {
    target: { ...target, name: `${target.name}/power` },
    device,
    seed,
    overrides: { chains: size / 8, stepSize, burnIn, steps: burnIn + 8 * 500, thin: 500 },
  });
  // Chains are independent, and draws 500 steps apart nearly so: they count as draws in any order.
  const { data, dim } = draws;
  return { count: size / CHAINS, chains: CHAINS, points: 1, dim, data: shuffled(data, dim, seed) };
}

/** The rows of `data` in random order. */
function shuffled(data: Float32Array, dim: number, seed: number): Float32Array {
  const count = data.length / dim;
  const keys = noiseDraws(foldIn(keyOf(seed), "shuffle"), { counter: 0, count, kind: "uniform" });
  const order = [...keys.keys()].sort((a, b) => keys[a] - keys[b]);
  const out = new Float32Array(data.length);
  order.forEach((from, to) => out.set(data.subarray(from * dim, (from + 1) * dim), to * dim));
  return out;
}

const HELP = `Usage: deno task check:power [options]

How often deno task check --draws notices wrong draws, by the number of effective draws, as a table; its first rows
are exact draws of every target, none of which may fail. About 15 minutes at 20 seeds.

  --seeds COUNT   sets of draws for each entry (default 20)`;

async function main(): Promise<void> {
  const words = readOptions(HELP, {
    seeds: { type: "string", default: "20" },
  });
  const { seeds } = readCounts({ seeds: words.seeds });
  await using device = await openDevice("cpu", { threads: 1 });
  using line = openLiveLine();
  const began = performance.now();
  const entries = FAULTS.flatMap(({ sizes = SIZES }) => sizes).length;
  let [done, falseAlarms] = [0, 0];
  console.log("| Fault | Effective draws | Noticed | By |");
  console.log("| --- | --- | --- | --- |");
  for (const { name, target, sizes = SIZES, make } of FAULTS) {
    const truth = await openTruth(target, device);
    for (const size of sizes) {
      const counts = new Map<string, number>();
      let noticed = 0;
      for (let seed = 0; seed < seeds; seed++) {
        const share = (done + seed / seeds) / entries;
        const left = share > 0 ? (performance.now() - began) / 60_000 * (1 - share) / share : NaN;
        line.show(`${name}, ${size} draws, seed ${seed}, about ${left.toFixed(0)} min left`);
        const draws = await make(size, { truth, seed, device });
        const { rows } = await judgeDraws(draws, { target, device, truth });
        const failed = rows.filter(({ verdict }) => verdict === "fail");
        noticed += failed.length > 0 ? 1 : 0;
        for (const { metric } of failed) counts.set(metric, (counts.get(metric) ?? 0) + 1);
      }
      done++;
      line.clear();
      if (name.startsWith("none")) falseAlarms += noticed;
      const by = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 3)
        .map(([metric, count]) => `${metric} ${count}`).join(", ");
      console.log(`| ${name} | ${size} | ${noticed} of ${seeds} | ${by || "–"} |`);
    }
  }
  if (falseAlarms > 0) {
    console.error(`${falseAlarms} sets of exact draws failed`);
    Deno.exitCode = 1;
  }
}

if (import.meta.main) await runProgram(main);
