/**
 * The mutation test of `deno task check`: copies the sources to a temporary folder, breaks one rule of methods/samplers or retunes one
 * default of a method at a time, runs the check there, and lists what noticed.
 *
 * `deno task check:mutations`, or with `--of langevin,lae` only those of some files.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { readNames, readOptions } from "../harness/cli/arguments.ts";
import { openLiveLine } from "../harness/core/live_line.ts";
import { formatDuration } from "../harness/experiment/estimate.ts";
import { mutate, type Mutation, MUTATIONS, RETUNINGS } from "./mutations.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/[/\\]$/, "");
/** What the check needs. */
const COPIED = ["ci", "datasets", "harness", "methods", "reports", "deno.json", "deno.lock"];
const ALL = [...MUTATIONS, ...RETUNINGS];
/** The rules and methods that are changed. */
const CHANGED = [...new Set(ALL.map(({ of }) => of))];

const HELP =
  `deno task check:mutations: break each sampler rule and retune the methods' defaults, and see whether deno task check notices

  --of NAMES  rules and methods to change, a comma between them; all by default: ${CHANGED.join()}
  --list      list the mutations without running them`;

/** What the check said of a mutation. */
interface Outcome {
  readonly mutation: Mutation;
  /** Its failures, a line each. */
  readonly failures: readonly string[];
}

async function main(): Promise<void> {
  const words = readOptions({
    of: { type: "string", default: CHANGED.join() },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  });
  if (words.help) return console.log(HELP);
  const names = readNames(words.of, { kind: "rule or method", known: CHANGED });
  const mutations = ALL.filter((mutation) => names.includes(mutation.of));
  if (words.list) {
    for (const { of, name } of mutations) console.log(`${of}: ${name}`);
    return;
  }
  const folder = await Deno.makeTempDir({ prefix: "laebench_mutations_" });
  try {
    await copySources(folder);
    const outcomes = await runAll(mutations, folder);
    const survivors = outcomes.filter(({ failures }) => failures.length === 0);
    for (const { mutation: { of, name } } of survivors) {
      console.error(`Survived: ${of}, ${name}`);
    }
    console.log(`${outcomes.length} mutations, ${survivors.length} survived`);
    if (survivors.length > 0) Deno.exitCode = 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runAll(mutations: readonly Mutation[], folder: string): Promise<Outcome[]> {
  using line = openLiveLine();
  line.show("The sources as they are");
  const sound = await check(folder);
  if (sound.length > 0) {
    throw new Error(`The check fails without any mutation: ${sound[0]}`);
  }
  const outcomes: Outcome[] = [];
  const began = performance.now();
  for (const [i, mutation] of mutations.entries()) {
    const { of, name } = mutation;
    const each = (performance.now() - began) / 1000 / i;
    const left = i === 0 ? "" : `, about ${formatDuration(each * (mutations.length - i))} left`;
    line.show(`[${i + 1}/${mutations.length}] ${of}, ${name}${left}`);
    const failures = await checkMutated(folder, mutation);
    line.clear();
    console.log(`${of}, ${name}: ${describe(failures)}`);
    outcomes.push({ mutation, failures });
  }
  return outcomes;
}

/** The metrics that failed, the first few of them by name. */
function describe(failures: readonly string[]): string {
  if (failures.length === 0) return "SURVIVED";
  const names = failures.map((failure) => failure.replace(/ is .*$/, ""));
  const shown = names.slice(0, 3).join("; ");
  return names.length > 3 ? `${shown}; and ${names.length - 3} more` : shown;
}

async function checkMutated(folder: string, mutation: Mutation): Promise<string[]> {
  const path = `${folder}/${mutation.file}`;
  const source = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, mutate(source, mutation));
  try {
    return await check(folder);
  } finally {
    await Deno.writeTextFile(path, source);
  }
}

/** The failures of the check in `folder`. Throws an Error when it did not get to compare anything. */
async function check(folder: string): Promise<string[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    // As the task, but with the packages of this project: the copy has a link to them.
    args: [
      ...["run", "--no-prompt", "--no-check", "--allow-read", "--allow-env", "--allow-sys=cpus"],
      `--allow-ffi=${ROOT}/node_modules`,
      "ci/check.ts",
    ],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  if (!/^\d+ metrics, \d+ failed/m.test(out)) {
    throw new Error(`The check in ${folder} did not run (exit code ${code}): ${err || out}`);
  }
  return err.split("\n").filter((line) => / (is|was) /.test(line));
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

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exitCode = 1;
  }
}
