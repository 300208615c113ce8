/**
 * How often `deno task check --draws` notices wrong draws, by the number of effective draws: simulated.
 *
 * `deno task check:power`; the same command goes on after a stop.
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
import { projectPath } from "../harness/core/project.ts";
import { NONE } from "../reports/document/block.ts";
import { markdownTable } from "../reports/markdown.ts";
import { countdown } from "./countdown.ts";
import { codeHash, openKeptResults } from "./kept_results.ts";

/** Chains into which draws are divided. */
const CHAINS = 4;
/** Numbers of effective draws. */
const SIZES = [1_000, 3_000, 10_000, 30_000];

/** Folder of the rows that are done, from the project's root. */
const FOLDER = "runs/power";

/** A fault of draws: what it makes of exact ones. */
interface Fault {
  readonly name: string;
  /** Whether the draws stay exact. */
  readonly isNone?: boolean;
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
    isNone: true,
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
are exact draws of every target, none of which may fail. About 15 minutes at 20 seeds. Rows are kept in ${FOLDER}:
the same command goes on after the last of them.

  --seeds COUNT   sets of draws for each entry (default 20)
  --force         start again`;

/** Verdicts on the sets of draws with one fault and one number of effective draws. */
interface Row {
  /** Sets in which a metric failed. */
  readonly noticed: number;
  /** How often each metric failed. */
  readonly by: Readonly<Record<string, number>>;
}

/** One row of the table, still to be simulated or done. */
interface Entry {
  readonly fault: Fault;
  readonly size: number;
}

async function main(): Promise<void> {
  const { force, ...words } = readOptions(HELP, {
    seeds: { type: "string", default: "20" },
    force: { type: "boolean", default: false },
  });
  const { seeds } = readCounts({ seeds: words.seeds });
  const code = await codeHash("ci/draws_power.ts");
  const kept = await openKeptResults<Row>(projectPath(FOLDER), { code, force });
  const entries = FAULTS.flatMap((fault) =>
    (fault.sizes ?? SIZES).map((size): Entry => ({ fault, size }))
  );
  const keyOf = ({ fault, size }: Entry) => `${fault.name}, ${size} draws, ${seeds} seeds`;
  const missing = entries.filter((entry) => kept.get(keyOf(entry)) === undefined);
  if (missing.length < entries.length) {
    console.error(`${entries.length - missing.length} of ${entries.length} rows were done before`);
  }
  await using device = await openDevice("cpu", { threads: 1 });
  using line = openLiveLine();
  const timeLeft = countdown(missing.length * seeds);
  const truths = new Map<Target, Truth>();
  for (const [i, entry] of missing.entries()) {
    const { fault, size } = entry;
    const truth = truths.get(fault.target) ?? await openTruth(fault.target, device);
    truths.set(fault.target, truth);
    const by: Record<string, number> = {};
    let noticed = 0;
    for (let seed = 0; seed < seeds; seed++) {
      line.show(`${fault.name}, ${size} draws, seed ${seed}${timeLeft(i * seeds + seed)}`);
      const draws = await fault.make(size, { truth, seed, device });
      const { rows } = await judgeDraws(draws, { target: fault.target, device, truth });
      const failed = rows.filter(({ verdict }) => verdict === "fail");
      noticed += failed.length > 0 ? 1 : 0;
      for (const { metric } of failed) by[metric] = (by[metric] ?? 0) + 1;
    }
    await kept.add(keyOf(entry), { noticed, by });
  }
  line.clear();
  const rows = entries.map((entry) => ({ ...entry, ...kept.get(keyOf(entry)) ?? NOTHING }));
  console.log(markdownTable(
    ["Fault", "Effective draws", "Noticed", "By"],
    rows.map(({ fault: { name }, size, noticed, by }) => [
      name,
      size.toLocaleString("en"),
      `${noticed} of ${seeds}`,
      mostFrequent(by).map(([metric, count]) => `${metric} ${count}`).join(", ") || NONE,
    ]),
  ));
  const falseAlarms = rows.filter(({ fault }) => fault.isNone)
    .reduce((sum, { noticed }) => sum + noticed, 0);
  if (falseAlarms > 0) {
    console.error(`${falseAlarms} sets of exact draws failed`);
    Deno.exitCode = 1;
  }
}

const NOTHING: Row = { noticed: 0, by: {} };

/** The three metrics that failed most often. */
function mostFrequent(by: Row["by"]): [string, number][] {
  return Object.entries(by).sort(([, a], [, b]) => b - a).slice(0, 3);
}

if (import.meta.main) await runProgram(main);
