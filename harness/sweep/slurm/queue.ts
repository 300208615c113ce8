/**
 * Slurm's commands: which runs of an output folder are queued, and how to submit some.
 *
 * @module
 */
import * as z from "zod";
import { readTextIfAny, replaceFile } from "../../core/files.ts";
import { firstIssue } from "../../experiment/record_schema.ts";
import { arrayOf } from "./script.ts";

/** Files of an output folder that bench writes for Slurm: the batch script, and the runs that its tasks execute. */
export const SCRIPT_FILE = "sweep.sbatch";
export const SLURM_FILE = "slurm.json";

const SUBMISSION = z.object({
  /** The ids of all runs; the task i of an array executes the run i. */
  runs: z.array(z.string()),
  /** Number of tasks of an array that run at a time; absent if unlimited. */
  arrayParallelism: z.int().min(1).optional(),
});

/** The runs of a batch script. */
export type Submission = z.infer<typeof SUBMISSION>;

/** State of a task in the queue. */
export type QueueState = "waiting" | "running";

/** Writes `submission` to the output folder `out`. */
export async function writeSubmission(out: string, submission: Submission): Promise<void> {
  await replaceFile(`${out}/${SLURM_FILE}`, `${JSON.stringify(submission, null, 2)}\n`);
}

/** Reads the submission in the output folder `out`; undefined if there is none. Throws SyntaxError for another file. */
export async function readSubmission(out: string): Promise<Submission | undefined> {
  const path = `${out}/${SLURM_FILE}`;
  const text = await readTextIfAny(path);
  if (text === undefined) return undefined;
  try {
    const result = SUBMISSION.safeParse(JSON.parse(text));
    if (result.success) return result.data;
    throw new SyntaxError(firstIssue(result.error));
  } catch (error) {
    throw new SyntaxError(
      `${path} is not a list of submitted runs (${
        (error as Error).message
      }): remove it, and plan ` +
        "again with deno task bench --slurm",
      { cause: error },
    );
  }
}

/**
 * States of the runs of `out` that are in Slurm's queue, by id. Undefined if the queue cannot be asked: this is not a machine of
 * the cluster, or Slurm does not answer.
 */
export async function readQueue(out: string): Promise<ReadonlyMap<string, QueueState> | undefined> {
  const submission = await readSubmission(out);
  if (submission === undefined) return new Map();
  const text = await slurm("squeue", ["--noheader", "--array", "--me", "--format=%i|%T|%o"]);
  return text === undefined
    ? undefined
    : parseQueue(text, { script: `${out}/${SCRIPT_FILE}`, ...submission });
}

/** The states of the tasks of the arrays that execute `script`, by id of the run, from lines `JOB_INDEX|STATE|SCRIPT`. */
export function parseQueue(
  text: string,
  { script, runs }: { readonly script: string; readonly runs: readonly string[] },
): ReadonlyMap<string, QueueState> {
  const states = new Map<string, QueueState>();
  for (const line of text.split("\n")) {
    const [, index, state, path] = /^\d+_(\d+)\|(\w+)\|(.*)$/.exec(line) ?? [];
    const id = runs[Number(index)];
    if (path !== script || id === undefined) continue;
    const isWaiting = WAITING_STATES.has(state) && states.get(id) !== "running";
    states.set(id, isWaiting ? "waiting" : "running");
  }
  return states;
}

/** States of squeue(1) in which a job holds no node. */
const WAITING_STATES = new Set([
  "PENDING",
  "REQUEUED",
  "REQUEUE_FED",
  "REQUEUE_HOLD",
  "RESV_DEL_HOLD",
  "SPECIAL_EXIT",
]);

/** The arguments of sbatch that submit the runs with the `indices` of the script in `out`. */
export function sbatchArguments(
  out: string,
  { indices, arrayParallelism }: {
    readonly indices: readonly number[];
    readonly arrayParallelism?: number;
  },
): string[] {
  const limit = arrayParallelism === undefined ? "" : `%${arrayParallelism}`;
  return ["--parsable", `--array=${arrayOf(indices)}${limit}`, `${out}/${SCRIPT_FILE}`];
}

/** Submits an array with the `args` of sbatch; resolves to its job's id. Throws Error with sbatch's message. */
export async function submit(args: readonly string[]): Promise<string> {
  const child = new Deno.Command("sbatch", { args: [...args] });
  const { success, stdout, stderr } = await child.output().catch((error) => {
    throw error instanceof Deno.errors.NotFound
      ? new Error(`sbatch was not found: run this on a machine of the cluster, or submit by hand`)
      : error;
  });
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) {
    throw new Error(`Slurm refused the sweep: ${decode(stderr).replaceAll(/\s*\n\s*/g, "; ")}`);
  }
  return decode(stdout).split(";")[0];
}

/** Standard output of a command of Slurm; undefined if it is not there or fails. */
async function slurm(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args: [...args], stderr: "null" })
      .output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) {
      return undefined;
    }
    throw error;
  }
}
