/**
 * The command line for clusters: the options of `bench` for Slurm, and `deno task status`.
 *
 * @module
 */
import { Command } from "commander";
import { UsageError } from "../core/arguments.ts";
import { FAILED, INTERRUPTED } from "../core/exit_codes.ts";
import { ifThere, readTextIfAny } from "../core/files.ts";
import { plainText } from "../core/plain_text.ts";
import { userPath } from "../core/project.ts";
import type { Experiment, RunRecord } from "../core/records.ts";
import type { BenchOptions } from "../sweep/bench.ts";
import { collect } from "../sweep/collect.ts";
import { describeRun } from "../sweep/progress.ts";
import { countStates, readStatus } from "../sweep/run_status.ts";
import { follow } from "../sweep/slurm/follow.ts";
import {
  readSlurmOptions,
  type SlurmArguments,
  type SlurmOptions,
} from "../sweep/slurm/options.ts";
import { planSlurm } from "../sweep/slurm/plan.ts";
import { readSubmission, sbatchArguments, submit } from "../sweep/slurm/queue.ts";
import { quote } from "../sweep/slurm/script.ts";
import { latestRecords } from "../sweep/store.ts";

/** Adds the options for Slurm to `command`. */
export function addSlurmOptions(command: Command): Command {
  const collected = (value: string, values: readonly string[] = []) => [...values, value];
  return command
    .option("--slurm", "write the specs and sweep.sbatch, an array of Slurm, instead of running")
    .option("--submit", "with --slurm: submit the array, and follow it until it ends")
    .option(
      "--parallel-config <file>",
      "YAML file with a key slurm: partition, time, ...; as --slurm",
    )
    .option("--slurm-partition <name>", "partition of the tasks")
    .option("--slurm-time <limit>", "time limit of a task; runs go on in another one")
    .option("--slurm-gres <list>", "generic resources of a task (default: gpu:1 for cuda)")
    .option("--slurm-cpus <count>", "cores of a task (default: --threads, else 1)")
    .option("--slurm-mem <size>", "memory of a task, for example 16G")
    .option("--slurm-array-parallelism <count>", "number of tasks at a time")
    .option("--slurm-setup <command>", "shell command before each run; repeatable", collected)
    .option(
      "--slurm-arg <option>",
      "another option of sbatch, as account=NAME; repeatable",
      collected,
    );
}

/** The options for Slurm in `args`; undefined if it is not asked for. Throws UsageError for wrong ones. */
export async function slurmOptions(
  args: SlurmArguments & { readonly jobs?: string },
): Promise<SlurmOptions | undefined> {
  const file = args.parallelConfig;
  const path = file === undefined ? undefined : userPath(file);
  const text = path === undefined ? undefined : await readTextIfAny(path);
  if (path !== undefined && text === undefined) throw new UsageError(`File not found: ${path}`);
  const options = readSlurmOptions(
    args,
    path === undefined || text === undefined ? undefined : { path, text },
  );
  if (options !== undefined && args.jobs !== undefined) {
    throw new UsageError("--jobs has no effect with Slurm: use --slurm-array-parallelism");
  }
  return options;
}

/** Plans `experiment` for Slurm; submits and follows it if asked for. Sets the exit code. */
export async function benchOnSlurm(
  experiment: Experiment,
  options: BenchOptions & { readonly slurm: SlurmOptions; readonly submit: boolean },
): Promise<void> {
  const { out, slurm } = options;
  const { runs, todo, script } = await planSlurm(experiment, options);
  const others = runs.length - todo.length;
  if (others > 0) console.error(`Skipping ${others} of ${runs.length} runs: completed or queued`);
  if (todo.length === 0) return console.log(`Nothing to submit: deno task status ${quote(out)}`);
  console.error(`Wrote ${script}, ${todo.length} tasks, and the specs of the runs`);
  if (!options.submit) return console.log(`sbatch ${quote(script)}`);
  await submitAndFollow(out, { runs, indices: todo, ...slurm, publish: options.publish });
}

async function submitAndFollow(
  out: string,
  { runs, indices, arrayParallelism, publish }: {
    readonly runs: readonly string[];
    readonly indices: readonly number[];
    readonly arrayParallelism?: number;
    publish(records: readonly RunRecord[]): Promise<string>;
  },
): Promise<void> {
  const job = await submit(sbatchArguments(out, { indices, arrayParallelism }));
  console.error(`Submitted job ${job}; Ctrl-C leaves it running: deno task status ${quote(out)}`);
  const controller = new AbortController();
  const stop = () => controller.abort();
  Deno.addSignalListener("SIGINT", stop);
  const ids = indices.map((index) => runs[index]);
  const ended = await follow(out, { ids, signal: controller.signal });
  Deno.removeSignalListener("SIGINT", stop);
  if (!ended) {
    console.error(`The runs go on: deno task status ${quote(out)}`);
    Deno.exitCode = INTERRUPTED;
    return;
  }
  const records = latestRecords((await collect(out)).records);
  if (records.length > 0) console.log(await publish(records));
  const asked = new Set(runs);
  const failed = (await readStatus(out)).runs.filter(({ id, state }) =>
    asked.has(id) && state !== "done"
  );
  for (const { spec, state, detail } of failed) {
    console.error(plainText(`${describeRun(spec)}: ${state}${detail && `: ${detail}`}`));
  }
  if (failed.length > 0) Deno.exitCode = FAILED;
}

/** Defines the command `status`. */
export function statusCommand(): Command {
  return new Command("status")
    .description(
      "the state of every run in an output folder: done, running, waiting, or failed with the reason",
    )
    .argument("<folder>", "the output folder")
    .option("--only-failed", "submit the failed runs to Slurm again")
    .action(async (folder: string, { onlyFailed }: { readonly onlyFailed?: boolean }) => {
      const out = userPath(folder);
      if (await ifThere(Deno.stat(out)) === undefined) throw new Error(`Folder not found: ${out}`);
      await (onlyFailed ? submitFailed(out) : printStatus(out));
    });
}

async function printStatus(out: string): Promise<void> {
  const { runs, queueKnown } = await readStatus(out);
  for (const { id, spec, state, detail } of runs) {
    const reason = detail === "" ? "" : `: ${detail}`;
    console.log(plainText(`${state.padEnd(7)} ${id} ${describeRun(spec)}${reason}`));
  }
  console.log(countStates(runs));
  if (!queueKnown) console.error("Slurm's queue cannot be asked here: queued runs are not shown");
}

/** Submits the failed runs of `out` with the batch script that is there. */
async function submitFailed(out: string): Promise<void> {
  const submission = await readSubmission(out);
  if (submission === undefined) {
    throw new UsageError(
      `The runs of ${out} were not planned for Slurm: deno task bench with the same options repeats failed ones`,
    );
  }
  const { runs, queueKnown } = await readStatus(out);
  if (!queueKnown) throw new Error("Slurm's queue cannot be asked: runs in it would start twice");
  const failed = new Set(runs.filter(({ state }) => state === "failed").map(({ id }) => id));
  const indices = submission.runs.keys().filter((i) => failed.has(submission.runs[i])).toArray();
  if (indices.length === 0) return console.log(`No failed run: ${countStates(runs)}`);
  const job = await submit(sbatchArguments(out, { ...submission, indices }));
  const count = indices.length === 1 ? "1 failed run" : `${indices.length} failed runs`;
  console.log(`Submitted ${count} as job ${job}`);
}
