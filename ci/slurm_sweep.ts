/**
 * A sweep on a real Slurm that is preempted, cancelled and stopped by its time limit, and ends with the bits of an undisturbed
 * one.
 *
 * `deno task test:slurm`
 *
 * @module
 */
import { readOptions } from "../harness/cli/arguments.ts";
import { parseCount } from "../harness/core/arguments.ts";
import { projectPath, userPath } from "../harness/core/project.ts";
import { TIME_IS_UP } from "../harness/sweep/slurm/script.ts";
import { markdownTable } from "../reports/markdown.ts";
import { compareSweeps } from "./faults/sweeps.ts";
import { run, type SlurmNode, startSlurm, until, whyNoSlurm } from "./slurm_node.ts";

const HELP = `Usage: deno task test:slurm [options]

Starts a Slurm of one node on loopback, runs a sweep of tiny runs on it as an array, and disturbs it: two preemptions by jobs of
higher priority, a task asked to stop as before its time limit, a cancelled task. Then compares every record with that of an
undisturbed sweep. Needs root and Debian's packages slurm-wlm and munge; says so and succeeds without them.

  --runs N     runs of the array (default 4)
  --epochs N   of each run, of about a fifth of a second (default 40)
  --expected F an undisturbed sweep of the same runs that an earlier call left with --keep
  --keep       leave the folders of both sweeps
  --limit      a time limit of one minute, which stops runs of more epochs (--epochs 200) by itself
`;

const options = readOptions(HELP, {
  runs: { type: "string", default: "4" },
  epochs: { type: "string", default: "40" },
  expected: { type: "string" },
  keep: { type: "boolean", default: false },
  limit: { type: "boolean", default: false },
});

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** Aborted by these signals: every program ends, then Slurm. */
const stopped = new AbortController();

async function main(): Promise<void> {
  const runs = parseCount(options.runs, "--runs");
  const epochs = parseCount(options.epochs, "--epochs");
  const root = await Deno.makeTempDir();
  const stop = () => stopped.abort();
  for (const signal of SIGNALS) Deno.addSignalListener(signal, stop);
  try {
    await Deno.mkdir(`${root}/slurm`);
    await using node = await startSlurm(`${root}/slurm`);
    const args = [
      ...["--preset", "smoke", "--methods", "vae", "--epochs", `${epochs}`, "--threads", "1"],
      ...["--set", "vae.width=0.0625", "--set", "vae.featureDim=16", "--set", "vae.latentDim=4"],
      ...["--seeds", `0..${runs - 1}`, "--metrics", "fd_fashion"],
    ];
    const expected = options.expected === undefined
      ? `${root}/expected`
      : userPath(options.expected);
    const out = `${root}/out`;
    if (options.expected === undefined) {
      console.log(`An undisturbed sweep of ${runs} runs`);
      await task(["bench", ...args, "--jobs", "2", "--out", expected]);
    }
    console.log("The same as an array of Slurm, disturbed");
    const limit = options.limit ? ["--slurm-time", "1", "--slurm-arg", "signal=B:USR1@20"] : [];
    const [faults] = await Promise.all([
      disturb(out, node),
      // It fails, since a run was cancelled.
      task(["bench", ...args, "--slurm", "--submit", ...limit, "--out", out], node.env)
        .catch(() => {}),
    ]);
    console.log(await task(["status", out, "--only-failed"], node.env));
    await until(async () => (await queue(node)) === "", 600);
    const status = await task(["status", out], node.env);
    await task(["bench", ...args, "--out", out], node.env);
    await judge({ out, expected, runs, faults, status });
  } finally {
    stopped.abort(); // what still runs, after an error
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, stop);
    if (options.keep) console.log(`The folders are in ${root}`);
    else await Deno.remove(root, { recursive: true }).catch(() => {});
  }
}

/** Runs a task of the project; resolves to its standard output. Throws Error if it fails. */
async function task(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return await run(
    Deno.execPath(),
    ["task", "--quiet", `--config=${projectPath("deno.json")}`, ...args],
    env,
    stopped.signal,
  );
}

/** Lines `JOB_INDEX STATE` of the queue. */
async function queue({ env }: SlurmNode): Promise<string> {
  return (await run("squeue", ["-h", "-r", "--format=%i %T"], env)).trim();
}

/** Names of tasks that run now. */
async function running(node: SlurmNode): Promise<string[]> {
  return (await queue(node)).split("\n").filter((line) => line.endsWith(" RUNNING"))
    .map((line) => line.split(" ")[0]).filter((name) => name.includes("_"));
}

/** Numbers of disturbances of the sweep, by name. */
type Faults = Readonly<Record<string, number>>;

/** Disturbs the sweep in `out` while it runs: each time once a run has trained at least one epoch more. */
async function disturb(out: string, node: SlurmNode): Promise<Faults> {
  const { env } = node;
  let epochs = 0;
  const progress = () =>
    until(async () => {
      const now = await countEpochs(out);
      const isMore = now > epochs && (await running(node)).length > 0;
      if (isMore) epochs = now;
      return isMore;
    }, 120);
  let preempted = 0;
  for (let i = 0; i < 2; i++) {
    await progress();
    preempted += (await running(node)).length;
    const job = [
      "--partition=urgent",
      "--exclusive",
      "--output=/dev/null",
      "--wait",
      "--wrap=sleep 1",
    ];
    await run("sbatch", job, env);
  }
  await progress();
  await cancelOne(node, ["--signal=USR1", "--batch"]);
  await progress();
  await cancelOne(node, []);
  return { "tasks preempted": preempted, "tasks asked to stop": 1, "tasks cancelled": 1 };
}

/** Cancels or signals a running task, by the `args` of scancel: another one if it ends at this moment. */
async function cancelOne(node: SlurmNode, args: readonly string[]): Promise<void> {
  await until(async () => {
    const task = (await running(node)).at(-1);
    if (task === undefined) return false;
    return await run("scancel", [...args, task], node.env).then(() => true, () => false);
  }, 120);
}

/** Epochs in the files of all runs of `out`; 0 if it does not exist. */
async function countEpochs(out: string): Promise<number> {
  let count = 0;
  try {
    for await (const { name, isDirectory } of Deno.readDir(out)) {
      if (!isDirectory) continue;
      const text = await Deno.readTextFile(`${out}/${name}/epochs.jsonl`).catch(() => "");
      count += text.split("\n").length - 1;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return count;
}

/** Compares the disturbed sweep with the undisturbed one, prints the counts, and sets the exit code. */
async function judge(
  { out, expected, runs, faults, status }: {
    readonly out: string;
    readonly expected: string;
    readonly runs: number;
    readonly faults: Faults;
    readonly status: string;
  },
): Promise<void> {
  const { runsLost, duplicates, different } = await compareSweeps(out, expected);
  let [attempts, requeued] = [0, 0];
  for await (const { name } of Deno.readDir(`${out}/slurm`)) {
    const log = await Deno.readTextFile(`${out}/slurm/${name}`);
    attempts += log.match(/ attempt \d+$/gm)?.length ?? 0;
    requeued += log.split(TIME_IS_UP).length - 1;
  }
  const bad = {
    "runs lost": runsLost,
    "records duplicated": duplicates,
    "runs with other bits": different,
    "runs not done by deno task status": status.includes(`${runs} runs: ${runs} done`) ? 0 : 1,
  };
  const stops = { "attempts requeued before the time limit": requeued };
  const rows = Object.entries({ runs, attempts, ...faults, ...stops, ...bad });
  console.log(markdownTable(["Slurm", "Count"], rows.map(([name, count]) => [name, `${count}`])));
  const missed = attempts === runs
    ? "No run was interrupted: more --epochs"
    : options.limit && requeued <= faults["tasks asked to stop"]
    ? "No run reached its time limit: more --epochs"
    : undefined;
  if (missed !== undefined) console.error(missed);
  const isBad = Object.values(bad).some((count) => count > 0);
  if (isBad) console.error(status);
  if (isBad || missed !== undefined) Deno.exitCode = 1;
}

const reason = await whyNoSlurm();
if (reason === undefined) await main();
else console.log(`Skipped: ${reason}`);
