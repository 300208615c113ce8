/**
 * The regression check of the samplers: a fast part of the toy suite with a fixed seed. A metric fails when it leaves its
 * gate, which comes from the sampling error, or drifts from ci/baselines/toy.json by more than six standard deviations of
 * a difference of two such values.
 *
 * `deno task check`, or `deno task check --update` to accept the values of today and print what changed, or `deno task check
 * --seeds=20` for the gates of many seeds, with `--full` those of the whole suite.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { TARGETS } from "../datasets/toy/mod.ts";
import { bivariateGaussian } from "../datasets/toy/bivariate_gaussian.ts";
import { sweepWidths } from "../harness/toy/amortization_gap.ts";
import { openDevice } from "../harness/engine/device.ts";
import { runGated } from "../harness/toy/bench.ts";
import { TOY_SUITE } from "../harness/toy/cli.ts";
import type { ToyRow } from "../harness/toy/report.ts";
import { GATE_DEVIATIONS } from "../harness/toy/score_run.ts";
import { openTarget, runToy } from "../harness/toy/suite.ts";
import type { RunLength, Sampler } from "../harness/toy/types.ts";
import type { Device } from "../harness/types.ts";
import { SAMPLERS } from "../methods/samplers/mod.ts";
import {
  type Baseline,
  compare,
  describeChanges,
  describeFailures,
  parseBaseline,
} from "./toy_baseline.ts";

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
  { target: "eight_gaussians", samplers: ["ald"], length: { steps: 10_000, burnIn: 5000 } },
];

/** Widths of the leverage law that are checked: below and above the number of points. */
const WIDTHS = [2, 32];

/** Rows of the fast part of the suite. `samplers` replaces those of the table by name: a check of the check. */
export async function checkRows(
  { seed, samplers = SAMPLERS, parts = PARTS }: {
    readonly seed: number;
    readonly samplers?: Readonly<Record<string, Sampler>>;
    readonly parts?: readonly CheckPart[];
  },
): Promise<ToyRow[]> {
  await using device = await openDevice("cpu", { threads: 1 });
  const rows: ToyRow[] = [];
  for (const { target, samplers: names, length } of parts) {
    const open = await openTarget(TARGETS[target], device);
    for (const name of names) {
      const options = { ...open, device, seed, overrides: length };
      rows.push(...(await runToy(samplers[name], options)).rows);
    }
  }
  if (parts === PARTS) {
    const target = bivariateGaussian;
    const sweep = await sweepWidths(samplers.ald, { target, device, seed, widths: WIDTHS });
    rows.push(...sweep.rows);
  }
  return rows;
}

async function main(words: readonly string[]): Promise<void> {
  const unknown = words.find((word) => !/^(--update|--full|--seeds=\d+(\.\.\d+)?)$/.test(word));
  if (unknown !== undefined) {
    console.error(
      `Unknown word "${unknown}": deno task check takes --update, --seeds=COUNT or --seeds=FIRST..LAST, --full or nothing`,
    );
    Deno.exitCode = 2;
    return;
  }
  const range = words.map((word) => /^--seeds=(\d+)(?:\.\.(\d+))?$/.exec(word)).find((m) => m);
  const full = words.includes("--full");
  if (range || full) {
    const [first, last] = range?.[2] === undefined
      ? [0, Number(range?.[1] ?? 1) - 1]
      : [Number(range[1]), Number(range[2])];
    if (last < first) throw new RangeError(`No seed from ${first} to ${last}`);
    return await checkSeeds({ first, last, full });
  }
  const began = performance.now();
  const rows = await checkRows({ seed: SEED });
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  if (words.includes("--update")) {
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
async function checkSeeds(
  { first, last, full }: { readonly first: number; readonly last: number; readonly full: boolean },
): Promise<void> {
  let [gated, failed] = [0, 0];
  await using stack = new AsyncDisposableStack();
  const devices: Device[] = [];
  for (let i = 0; i < navigator.hardwareConcurrency; i++) {
    devices.push(stack.use(await openDevice("cpu", { threads: 1 })));
  }
  for (let seed = first; seed <= last; seed++) {
    const all = full ? await runGated(TOY_SUITE, { devices, seed }) : await checkRows({ seed });
    const rows = all.filter(({ verdict }) => verdict !== "shown");
    const failures = describeFailures(rows);
    for (const failure of failures) console.error(`Seed ${seed}: ${failure}`);
    gated += rows.length;
    failed += failures.length;
    console.log(`Seed ${seed}: ${rows.length} gates, ${failures.length} failed`);
  }
  console.log(`Seeds ${first} to ${last}: ${gated} gates, ${failed} failed`);
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
    await main(Deno.args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exitCode = 1;
  }
}
