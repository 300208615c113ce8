/**
 * The regression check of the samplers: a fast part of the toy suite, and the chains that every method runs by default, with a
 * fixed seed. A metric fails when it leaves its gate, which comes from the sampling error, or drifts from
 * ci/baselines/toy.json by more than six standard deviations of a difference of two such values. A default that was retuned
 * fails too.
 *
 * `deno task check`, or `deno task check --update` to accept the current values and print what changed, or `deno task check
 * --seeds 0..19` for the gates of many seeds, with `--full` those of the whole suite.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { bivariateGaussian } from "../datasets/toy/bivariate_gaussian.ts";
import { openLiveLine } from "../harness/core/live_line.ts";
import type { ToyRow } from "../harness/core/toy_report.ts";
import { fail, runProgram } from "../harness/cli/programs.ts";
import { TOY_SUITE } from "../harness/cli/toy.ts";
import { userPath } from "../harness/core/project.ts";
import { checkDraws, DRAWS_HELP } from "./check_draws.ts";
import { publish, type Verdict } from "./verdicts.ts";
import {
  type Baseline,
  BaselineError,
  describeChanges,
  describeFailures,
  type Failure,
  parseBaseline,
} from "../harness/toy/baseline.ts";
import { readNames, readOptions, readSeeds } from "../harness/cli/arguments.ts";
import { openCores } from "../harness/toy/cores.ts";
import {
  certifiedSettings,
  type CheckPart,
  type CheckSuite,
  judge,
  partOf,
  partsOf,
  rulesOf,
  runCheck,
  suiteOf,
} from "../harness/toy/regression_check.ts";
import { exportTarget } from "../harness/toy/export_target.ts";
import { checkWritable, makeOutputFolder, replaceFile } from "../harness/core/files.ts";
import { openDevice } from "../harness/engine/device.ts";
import { runGated } from "../harness/toy/run_suite.ts";
import { MOVERS, SAMPLERS } from "../methods/toy/mod.ts";
import { TARGETS } from "../datasets/toy/mod.ts";

const BASELINE = fileURLToPath(new URL("./baselines/toy.json", import.meta.url));
const SEED = 0;

/** Exit codes. */
const [FAILED, MISUSED, BROKEN_BASELINE] = [1, 2, 3];

const PARTS: readonly CheckPart[] = [
  {
    target: "bivariate",
    samplers: [
      ...["ld", "sgld", "mala", "ald", "sgald", "ald_mh", "midpoint", "runge_kutta"],
      ...["mala_long", "psgld", "psgald", "proximal", "mirror"],
      ...["midpoint_independent", "midpoint_optimistic", "avi_diagonal", "avi_full"],
    ],
  },
  { target: "bivariate", samplers: ["lae_phi"], overrides: { steps: 8500 } },
  { target: "univariate", samplers: ["ld", "ald", "mala_long"], overrides: { steps: 6000 } },
  { target: "neural", samplers: ["ald", "mala_long"], overrides: { steps: 8000 } },
  {
    target: "eight_gaussians",
    samplers: ["ald", "mala_long", "lae_psi"],
    overrides: { steps: 10_000, burnIn: 5000 },
  },
];

/** The suite of `deno task check`. */
export const CHECK: CheckSuite = {
  parts: PARTS,
  samplers: SAMPLERS,
  targets: TARGETS,
  chains: TOY_SUITE.chains,
  movers: MOVERS,
  // Below and above the number of points.
  gaps: [{ sampler: SAMPLERS.ald, target: bivariateGaussian, widths: [2, 32] }],
};

const HELP =
  `deno task check: short chains of the toy suite and the default chains of the methods, against their gates and ci/baselines/toy.json

  --of NAMES     only what runs by these rules or belongs to these methods: langevin,lae
  --json         print the failures as JSON
  --junit FILE   write JUnit's XML too
  --annotate     print GitHub annotations (::error) too: the default on GitHub's runners
  --update       overwrite the baseline with the current values, and print what changed
  --seeds SEEDS  instead, hold the gates for these seeds: 0..19, or 0,1,2; with --of too
  --full         with the gates of the whole suite, some two minutes a seed on 2 cores

Draws of your own sampler, in any language, instead of the suite's (see docs/draws.md):

${DRAWS_HELP}

The targets themselves, for other languages (see docs/targets.md):

  --export DIR        write each target: parameters, exact answer, 10,000 exact draws, and values of its
                      log density and gradient; --target NAMES for some of them

Exit code: 0 if everything passed, 1 if a gate failed, 2 for wrong input, 3 for a broken baseline.`;

async function main(): Promise<void> {
  const words = readOptions(HELP, {
    update: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    seeds: { type: "string" },
    of: { type: "string" },
    json: { type: "boolean", default: false },
    junit: { type: "string" },
    annotate: { type: "boolean", default: Deno.env.get("GITHUB_ACTIONS") === "true" },
    draws: { type: "string" },
    export: { type: "string" },
    target: { type: "string" },
    var: { type: "string" },
    point: { type: "string" },
    step: { type: "string" },
    integrator: { type: "string" },
  });
  const began = performance.now();
  const forms = {
    junitPath: words.junit === undefined ? undefined : userPath(words.junit),
    annotate: words.annotate,
    json: words.json,
  };
  if (forms.junitPath !== undefined) await checkWritable(forms.junitPath);
  if (words.export !== undefined) {
    refuseOthers(words, ["export", "target", "annotate"]);
    return await exportTargets(userPath(words.export), words.target);
  }
  if (words.draws !== undefined) {
    refuseOthers(words, DRAWS_WORDS);
    const passed = await checkDraws({ ...words, draws: words.draws }, { began, ...forms });
    if (!passed) Deno.exitCode = FAILED;
    return;
  }
  for (const name of ["target", "var", "point", "step", "integrator"] as const) {
    if (words[name] !== undefined) {
      fail(`--${name} needs --draws${name === "target" ? " or --export" : ""}`, MISUSED);
    }
  }
  if (words.update) {
    refuseOthers(words, ["update", "annotate"]);
    return await update();
  }
  if (words.full) refuseOthers(words, ["full", "seeds", "annotate"]);
  if (words.seeds !== undefined) refuseOthers(words, ["seeds", "full", "of", "annotate"]);
  const names = words.of === undefined
    ? undefined
    : readNames(words.of, { kind: "rule or method", known: partsOf(CHECK) });
  if (words.full || words.seeds !== undefined) {
    const suite = names === undefined ? CHECK : suiteOf(CHECK, names);
    return await checkSeeds(readSeeds(words.seeds ?? `${SEED}`), words.full ? "full" : suite);
  }
  const whole = { suite: CHECK, baseline: await readBaseline() };
  const { suite, baseline } = names === undefined ? whole : partOf(whole, names);
  const rows = await runShown(suite);
  const failures = judge(suite, { rows, baseline });
  if (words.json) console.log(JSON.stringify({ metrics: rows.length, failures }));
  else {
    for (const { text } of failures) console.error(text);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${rows.length} metrics, ${failures.length} failed, ${seconds} s`);
  }
  const seconds = (performance.now() - began) / 1000;
  await publish(verdictsOf(rows, failures), { ...forms, suite: "laebench check", seconds });
  if (failures.length > 0) Deno.exitCode = FAILED;
}

/** Writes the files of targets, each to a folder of its name. */
async function exportTargets(folder: string, chosen?: string): Promise<void> {
  const known = Object.keys(TARGETS);
  const names = chosen === undefined ? known : readNames(chosen, { kind: "target", known });
  await using device = await openDevice("cpu", { threads: 1 });
  using line = openLiveLine();
  for (const [i, name] of names.entries()) {
    line.show(`Exporting ${name}, ${i + 1} of ${names.length}`);
    const files = await exportTarget(TARGETS[name], device);
    await makeOutputFolder(`${folder}/${name}`);
    for (const [file, content] of Object.entries(files)) {
      await replaceFile(`${folder}/${name}/${file}`, content);
    }
    line.clear();
    console.log(`${folder}/${name}: ${Object.keys(files).join(", ")}`);
  }
}

/** Options that go with --draws. */
const DRAWS_WORDS = [
  "draws",
  "target",
  "var",
  "point",
  "step",
  "integrator",
  "json",
  "junit",
  "annotate",
];

/** Refuses options that are set and have no effect beside the first of `allowed`. */
function refuseOthers(words: Readonly<Record<string, unknown>>, allowed: readonly string[]): void {
  for (const [name, value] of Object.entries(words)) {
    const isSet = value !== undefined && value !== false;
    if (isSet && !allowed.includes(name)) {
      fail(`--${name} does not go with --${allowed[0]}`, MISUSED);
    }
  }
}

/** Each row as a verdict, and failures that belong to no row. */
function verdictsOf(rows: readonly ToyRow[], failures: readonly Failure[]): Verdict[] {
  type Names = Pick<ToyRow, "experiment" | "sampler" | "metric">;
  const keyOf = ({ experiment, sampler, metric }: Names) => `${experiment}/${sampler}/${metric}`;
  const failed = new Map(
    failures.flatMap(({ names, text }) => names ? [[keyOf(names), { names, text }]] : []),
  );
  const verdict = (names: Names, failure: string | null): Verdict => ({
    group: `${names.experiment}, ${names.sampler}`,
    name: names.metric,
    failure,
  });
  const measured = new Set(rows.map(keyOf));
  return [
    ...rows.map((row) => verdict(row, failed.get(keyOf(row))?.text ?? null)),
    ...[...failed].flatMap(([key, { names, text }]) =>
      measured.has(key) ? [] : [verdict(names, text)]
    ),
    ...failures.flatMap(({ names, text }) =>
      names ? [] : [{ group: "settings", name: text.split(" is ")[0], failure: text }]
    ),
  ];
}

/** Runs the check with its progress shown. */
async function runShown(suite: CheckSuite): Promise<ToyRow[]> {
  await using cores = await openCores();
  using line = openLiveLine();
  const rows = await runCheck(suite, { seed: SEED, devices: cores.devices, report: line.show });
  line.clear();
  return rows;
}

/** Overwrites the baseline, and prints what changed. */
async function update(): Promise<void> {
  const rows = await runShown(CHECK);
  const before = await readBaselineIfAny();
  const settings = certifiedSettings(CHECK);
  const text = `${JSON.stringify({ schema: 2, seed: SEED, settings, rows }, null, 2)}\n`;
  await Deno.writeTextFile(BASELINE, text);
  console.log(describeChanges(before?.rows ?? [], rows).join("\n") || "No value changed");
}

/** Holds a part of the check, or the full toy suite, to its gates for many seeds: how often they raise a false alarm. */
async function checkSeeds(seeds: readonly number[], suite: CheckSuite | "full"): Promise<void> {
  let [gated, failed] = [0, 0];
  await using cores = await openCores();
  using line = openLiveLine();
  const { devices } = cores;
  for (const seed of seeds) {
    const options = { devices, seed, report: (text: string) => line.show(`Seed ${seed} ${text}`) };
    const all = suite === "full"
      ? await runGated(TOY_SUITE, options)
      : await runCheck(suite, options);
    const rows = all.filter(({ verdict }) => verdict !== "shown");
    line.clear();
    const failures = describeFailures(rows, rulesOf(CHECK));
    for (const failure of failures) console.error(`Seed ${seed}: ${failure}`);
    gated += rows.length;
    failed += failures.length;
    console.log(`Seed ${seed}: ${rows.length} gates, ${failures.length} failed`);
  }
  console.log(`${seeds.length} seeds: ${gated} gates, ${failed} failed`);
  if (failed > 0) Deno.exitCode = FAILED;
}

async function readBaseline(): Promise<Baseline> {
  const baseline = await readBaselineIfAny();
  if (baseline) return baseline;
  throw new BaselineError(`No baseline at ${BASELINE}: write it by deno task check --update`);
}

async function readBaselineIfAny(): Promise<Baseline | undefined> {
  try {
    return parseBaseline(await Deno.readTextFile(BASELINE));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** As main, but a broken baseline has an exit code of its own. */
async function mainOrBroken(): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof BaselineError)) throw error;
    fail(error.message, BROKEN_BASELINE);
  }
}

if (import.meta.main) await runProgram(mainOrBroken);
