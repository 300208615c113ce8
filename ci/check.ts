/**
 * The regression check of the samplers: a fast part of the toy suite with a fixed seed. A metric fails when it leaves its
 * gate, which comes from the sampling error, or drifts from ci/baselines/toy.json by more than six standard deviations of
 * a difference of two such values.
 *
 * `deno task check`, or `deno task check --update` to accept the values of today and print what changed, or `deno task check
 * --seeds 0..19` for the gates of many seeds, with `--full` those of the whole suite.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { TARGETS } from "../datasets/toy/mod.ts";
import { bivariateGaussian } from "../datasets/toy/bivariate_gaussian.ts";
import { sweepWidths } from "../harness/toy/amortization_gap.ts";
import { openLiveLine } from "../harness/core/live_line.ts";
import { runGated } from "../harness/toy/run_suite.ts";
import { TOY_SUITE } from "../harness/cli/toy.ts";
import { openCores } from "../harness/toy/cores.ts";
import { collect, type Job, runJobs } from "../harness/toy/jobs.ts";
import type { ToyRow } from "../harness/core/toy_report.ts";
import { GATE_DEVIATIONS } from "../harness/toy/score_run.ts";
import { openTarget, runToy } from "../harness/toy/run_sampler.ts";
import type { RunLength, Sampler } from "../harness/core/toy_types.ts";
import type { Device } from "../harness/core/types.ts";
import { SAMPLERS } from "../methods/toy/mod.ts";
import { fail } from "../harness/cli/programs.ts";
import {
  type Baseline,
  compare,
  describeChanges,
  describeFailures,
  parseBaseline,
} from "../harness/toy/baseline.ts";
import { readOptions, readSeeds } from "../harness/cli/arguments.ts";

const BASELINE = fileURLToPath(new URL("./baselines/toy.json", import.meta.url));
const SEED = 0;

/** A part of the suite: samplers on a target, at the target's length or a shorter one. */
interface CheckPart {
  readonly target: string;
  readonly samplers: readonly string[];
  readonly length?: Partial<RunLength>;
}

const PARTS: readonly CheckPart[] = [
  {
    target: "bivariate",
    samplers: ["ld", "sgld", "mala", "ald", "sgald", "ald_mh", "midpoint", "runge_kutta"],
  },
  { target: "univariate", samplers: ["ld", "ald"], length: { steps: 6000 } },
  { target: "neural", samplers: ["ald"], length: { steps: 8000 } },
  { target: "eight_gaussians", samplers: ["ald"], length: { steps: 10_000, burnIn: 5000 } },
];

/** Widths of the leverage law that are checked: below and above the number of points. */
const WIDTHS = [2, 32];

/** Rows of the fast part of the suite. `samplers` replaces those of the table by name: a check of the check. */
export async function checkRows(
  { seed, devices, samplers = SAMPLERS, parts = PARTS, report = () => {} }: {
    readonly seed: number;
    /** One for each run at a time. */
    readonly devices: readonly Device[];
    readonly samplers?: Readonly<Record<string, Sampler>>;
    readonly parts?: readonly CheckPart[];
    /** Called with a line about each run that is over. */
    readonly report?: (line: string) => void;
  },
): Promise<ToyRow[]> {
  const jobs: Job<{ readonly rows: readonly ToyRow[] }>[] = [];
  for (const { target, samplers: names, length } of parts) {
    const open = await openTarget(TARGETS[target], devices[0]);
    for (const name of names) {
      jobs.push({
        group: open.target.label,
        name: samplers[name].label,
        work: (device) => runToy(samplers[name], { ...open, device, seed, overrides: length }),
      });
    }
  }
  if (parts === PARTS) {
    const target = bivariateGaussian;
    jobs.push({
      group: "Amortization gap",
      name: samplers.ald.label,
      work: (device) => sweepWidths(samplers.ald, { target, device, seed, widths: WIDTHS }),
    });
  }
  const runs = collect(jobs);
  await runJobs(runs.jobs, { devices, report });
  return runs.results.flatMap(({ rows }) => rows);
}

const HELP =
  `deno task check: the fast part of the toy suite against its gates and ci/baselines/toy.json

  --update       write the values of today into the baseline, and print what changed
  --seeds SEEDS  instead, hold the gates for these seeds: 0..19, or 0,1,2
  --full         with the gates of the whole suite, about a minute and a half a seed on 2 cores`;

async function main(): Promise<void> {
  const words = readOptions({
    update: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    seeds: { type: "string" },
    help: { type: "boolean", default: false },
  });
  if (words.help) return console.log(HELP);
  if (words.update && (words.full || words.seeds !== undefined)) {
    fail("--update writes one seed of the fast part: leave out --seeds and --full", 2);
  }
  if (words.full || words.seeds !== undefined) {
    return await checkSeeds(readSeeds(words.seeds ?? `${SEED}`), words.full);
  }
  const began = performance.now();
  await using cores = await openCores();
  using line = openLiveLine();
  const rows = await checkRows({ seed: SEED, devices: cores.devices, report: line.show });
  line.clear();
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  if (words.update) {
    const before = await readBaseline();
    const text = `${JSON.stringify({ schema: 1, seed: SEED, rows }, null, 2)}\n`;
    await Deno.writeTextFile(BASELINE, text);
    console.log(describeChanges(before?.rows ?? [], rows).join("\n") || "No value changed");
    return;
  }
  const baseline = await readBaseline();
  if (!baseline) {
    throw new Error(`No baseline at ${BASELINE}: write it by deno task check --update`);
  }
  const failures = compare(rows, { baseline, deviations: GATE_DEVIATIONS });
  for (const failure of failures) console.error(failure);
  console.log(`${rows.length} metrics, ${failures.length} failed, ${seconds} s`);
  if (failures.length > 0) Deno.exitCode = 1;
}

/** Holds this check, or all of the suite, to its gates for many seeds: how often do they cry wolf. */
async function checkSeeds(seeds: readonly number[], full: boolean): Promise<void> {
  let [gated, failed] = [0, 0];
  await using cores = await openCores();
  using line = openLiveLine();
  const { devices } = cores;
  for (const seed of seeds) {
    const options = { devices, seed, report: (text: string) => line.show(`Seed ${seed} ${text}`) };
    const all = full ? await runGated(TOY_SUITE, options) : await checkRows(options);
    const rows = all.filter(({ verdict }) => verdict !== "shown");
    line.clear();
    const failures = describeFailures(rows);
    for (const failure of failures) console.error(`Seed ${seed}: ${failure}`);
    gated += rows.length;
    failed += failures.length;
    console.log(`Seed ${seed}: ${rows.length} gates, ${failures.length} failed`);
  }
  console.log(`${seeds.length} seeds: ${gated} gates, ${failed} failed`);
  if (failed > 0) Deno.exitCode = 1;
}

async function readBaseline(): Promise<Baseline | undefined> {
  try {
    return parseBaseline(await Deno.readTextFile(BASELINE));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exitCode = 1;
  }
}
