/**
 * The mutation test of `deno task check`: copies the sources to a temporary folder, breaks one rule of methods/samplers or retunes one
 * default of a method at a time, runs the check there, and lists what noticed; at last the table of power, rules by targets.
 *
 * `deno task check:mutations`, or with `--of langevin,lae` only the mutations of some files. The same command goes on after a stop.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { TARGETS } from "../datasets/toy/mod.ts";
import { readNames, readOptions } from "../harness/cli/arguments.ts";
import { runProgram } from "../harness/cli/programs.ts";
import { openLiveLine } from "../harness/core/live_line.ts";
import { projectPath } from "../harness/core/project.ts";
import type { Failure } from "../harness/toy/baseline.ts";
import { CHECK } from "./check.ts";
import { countdown } from "./countdown.ts";
import { codeHash, type KeptResults, openKeptResults } from "./kept_results.ts";
import { targetsOf } from "../harness/toy/regression_check.ts";
import { affectedBy, ANYWHERE, mutate, type Mutation, MUTATIONS } from "./mutations.ts";
import { changeTable, type Outcome, powerTable, survivals } from "./power_table.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/[/\\]$/, "");
/** Files and folders that the check needs. */
const COPIED = ["ci", "datasets", "harness", "methods", "reports", "deno.json", "deno.lock"];
/** Folder of the mutations that are done, from the project's root. */
const FOLDER = "runs/mutations";
const ALL = [...MUTATIONS, ...ANYWHERE];
/** The rules and methods that are changed. */
const CHANGED = [...new Set(ALL.map(({ of }) => of))];

const HELP =
  `deno task check:mutations: break each sampler rule and retune the methods' defaults, and see whether deno task check notices

  --of NAMES  rules and methods to change, a comma between them; all by default: ${CHANGED.join()}
  --list      list the mutations without running them
  --force     start again: without it, mutations that are done, kept in ${FOLDER}, are not repeated

Exits with 1 when a mutation of a rule survives on a target, or a retuned default or a changed fit everywhere.`;

async function main(): Promise<void> {
  const words = readOptions(HELP, {
    of: { type: "string", default: CHANGED.join() },
    list: { type: "boolean", default: false },
    force: { type: "boolean", default: false },
  });
  const names = readNames(words.of, { kind: "rule or method", known: CHANGED });
  const mutations = ALL.filter((mutation) => names.includes(mutation.of));
  if (words.list) {
    for (const { of, name } of mutations) console.log(`${of}: ${name}`);
    return;
  }
  const folder = await Deno.makeTempDir({ prefix: "laebench_mutations_" });
  try {
    await copySources(folder);
    const code = await codeHash("ci/check_mutations.ts");
    const kept = await openKeptResults<readonly Failure[]>(projectPath(FOLDER), {
      code,
      force: words.force,
    });
    await runMissing(mutations, { folder, kept });
    report(mutations.map((mutation) => ({
      mutation,
      failures: kept.get(keyOf(mutation)) ?? [],
      runsOn: targetsOf(CHECK, affectedBy(mutation)),
    })));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Prints the table of power, that of the other changes, and what survived. */
function report(outcomes: readonly Outcome[]): void {
  const targets = Object.keys(TARGETS);
  const ofRules = outcomes.filter(({ mutation }) => !ANYWHERE.includes(mutation));
  const others = outcomes.filter(({ mutation }) => ANYWHERE.includes(mutation));
  if (ofRules.length > 0) console.log(`\n${powerTable(ofRules, targets)}\n`);
  if (others.length > 0) console.log(`${changeTable(others)}\n`);
  const survivors = [
    ...survivals(ofRules, targets).map(({ mutation, target }) =>
      `${mutation.of}, ${mutation.name}, on ${target}`
    ),
    ...others.filter(({ failures }) => failures.length === 0)
      .map(({ mutation: { of, name } }) => `${of}, ${name}`),
  ];
  for (const survivor of survivors) console.error(`Survived: ${survivor}`);
  console.log(
    `${outcomes.length} mutations, ${ofRules.length} of them on ${targets.length} targets: ${survivors.length} survived`,
  );
  if (survivors.length > 0) Deno.exitCode = 1;
}

/** Runs the check under those of `mutations` that are not `kept` yet. Throws Error if it fails without any. */
async function runMissing(
  mutations: readonly Mutation[],
  { folder, kept }: {
    readonly folder: string;
    readonly kept: KeptResults<readonly Failure[]>;
  },
): Promise<void> {
  const missing = mutations.filter((mutation) => kept.get(keyOf(mutation)) === undefined);
  if (missing.length < mutations.length) {
    console.error(
      `${mutations.length - missing.length} of ${mutations.length} mutations were done before`,
    );
  }
  using line = openLiveLine();
  const affected = [...new Set(missing.flatMap(affectedBy))].toSorted();
  if (affected.length > 0 && kept.get(`sound: ${affected}`) === undefined) {
    line.show("The sources as they are");
    const failures = await check(folder, affected);
    if (failures.length > 0) {
      throw new Error(`The check fails without any mutation: ${failures[0].text}`);
    }
    await kept.add(`sound: ${affected}`, failures);
  }
  const timeLeft = countdown(missing.length);
  for (const [i, mutation] of missing.entries()) {
    const { of, name } = mutation;
    line.show(`[${i + 1}/${missing.length}] ${of}, ${name}${timeLeft(i)}`);
    const failures = await checkMutated(folder, mutation);
    await kept.add(keyOf(mutation), failures);
    line.clear();
    console.error(`${of}, ${name}: ${describe(failures)}`);
  }
}

function keyOf({ file, find, replace }: Mutation): string {
  return `${file}: ${find} -> ${replace}`;
}

/** The metrics that failed, the first few of them by name. */
function describe(failures: readonly Failure[]): string {
  if (failures.length === 0) return "SURVIVED";
  const names = failures.map(({ text }) => text.replace(/ is .*$/, ""));
  const shown = names.slice(0, 3).join("; ");
  return names.length > 3 ? `${shown}; and ${names.length - 3} more` : shown;
}

async function checkMutated(folder: string, mutation: Mutation): Promise<readonly Failure[]> {
  const path = `${folder}/${mutation.file}`;
  const source = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, mutate(source, mutation));
  try {
    return await check(folder, affectedBy(mutation));
  } finally {
    await Deno.writeTextFile(path, source);
  }
}

/** The failures of the check of `names`, rules and methods, in `folder`. Throws an Error when it did not get to compare anything. */
async function check(folder: string, names: readonly string[]): Promise<readonly Failure[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    // As the task, but with the packages of this project: the copy has a link to them.
    args: [
      ...["run", "--no-prompt", "--no-check", "--allow-read", "--allow-env", "--allow-sys=cpus"],
      `--allow-ffi=${ROOT}/node_modules`,
      ...["ci/check.ts", "--json", "--of", names.join()],
    ],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  const json = out.split("\n").find((line) => line.startsWith("{"));
  if (!json) throw new Error(`The check in ${folder} did not run (exit code ${code}): ${err}`);
  return (JSON.parse(json) as { failures: Failure[] }).failures;
}

async function copySources(folder: string): Promise<void> {
  for (const name of COPIED) await copy(`${ROOT}/${name}`, `${folder}/${name}`);
  await Deno.symlink(`${ROOT}/node_modules`, `${folder}/node_modules`);
}

async function copy(from: string, to: string): Promise<void> {
  if (!(await Deno.stat(from)).isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}

if (import.meta.main) await runProgram(main);
