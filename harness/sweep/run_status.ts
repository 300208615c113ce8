/**
 * The states of the runs of an output folder, from its files and from Slurm's queue: `deno task status`.
 *
 * @module
 */
import { isClaimed } from "../core/file_lock.ts";
import { ifThere, readTextIfAny } from "../core/files.ts";
import type { RunRecord, RunSpec } from "../core/records.ts";
import { findRecords } from "./collect.ts";
import { describeOutcome } from "./progress.ts";
import { readRunList } from "./run_list.ts";
import { type QueueState, readQueue } from "./slurm/queue.ts";
import { latestRecords, readResults } from "./store.ts";

/** State of a run, and one line on it. */
export interface RunStatus {
  readonly id: string;
  readonly spec: RunSpec;
  readonly state: "done" | "running" | "waiting" | "failed";
  /** How it ended, or what its log says last; empty if there is nothing to say. */
  readonly detail: string;
}

/** The states of all runs of a folder. */
export interface FolderStatus {
  readonly runs: readonly RunStatus[];
  /** Whether Slurm's queue was read, where there is one to read. */
  readonly queueKnown: boolean;
}

/**
 * Reads the states of the runs in the output folder `out`: those of its last experiment, else those with a record. Changes
 * nothing.
 */
export async function readStatus(out: string): Promise<FolderStatus> {
  const { records: known } = await readResults(out);
  const { records: found } = await findRecords(out, known);
  const records = latestRecords([...known, ...found]);
  const byId = new Map(records.map((record) => [record.id, record]));
  const queue = await readQueue(out);
  const listed = await readRunList(out) ?? records.map(({ id, spec }) => ({ id, spec }));
  const runs: RunStatus[] = [];
  for (const { id, spec } of listed) {
    const traces = await readTraces(`${out}/${id}`);
    const queued = queue?.get(id) ?? (await isClaimed(`${out}/${id}`) ? "running" : undefined);
    const facts = { record: byId.get(id), queued, traces };
    runs.push({ id, spec, ...judge(facts) });
  }
  return { runs, queueKnown: queue !== undefined };
}

/** Files that a run leaves in its folder. */
interface Traces {
  /** Whether Slurm ever started it. */
  readonly startedBySlurm: boolean;
  readonly epochs: number;
  /** The last line of its log, empty if there is none. */
  readonly lastLine: string;
}

/**
 * The state of a run. A result counts first, then the queue and the lock on its folder (`queued`), for a new attempt of a failed
 * run.
 */
export function judge(
  { record, queued, traces }: {
    readonly record: RunRecord | undefined;
    readonly queued: QueueState | undefined;
    readonly traces: Traces;
  },
): Pick<RunStatus, "state" | "detail"> {
  if (record?.status === "completed" || record?.status === "diverged") {
    return { state: "done", detail: describeOutcome(record) };
  }
  const reached = traces.epochs === 0 ? "" : epochsReached(traces.epochs);
  if (queued !== undefined) return { state: queued, detail: reached };
  if (record?.status === "failed") {
    return { state: "failed", detail: record.error };
  }
  if (traces.startedBySlurm) {
    return { state: "failed", detail: traces.lastLine || "it left the queue without a record" };
  }
  return { state: "waiting", detail: reached };
}

function epochsReached(count: number): string {
  return count === 1 ? "1 epoch trained" : `${count} epochs trained`;
}

async function readTraces(dir: string): Promise<Traces> {
  const slurmLog = (await readTextIfAny(`${dir}/slurm_log`))?.trim();
  const epochs = await readTextIfAny(`${dir}/epochs.jsonl`) ?? "";
  const logs = [`${dir}/log.txt`, ...slurmLog === undefined ? [] : [slurmLog]];
  return {
    startedBySlurm: slurmLog !== undefined,
    epochs: epochs.split("\n").length - 1,
    lastLine: await lastLineOf(logs),
  };
}

/** A line of the batch script, which says less than one of the run or of Slurm: `2026-01-02 03:04:05 exit code 1`. */
const SCRIPT_LINE = /^\d{4}-\d\d-\d\d [\d:]{8} /;

/** The last line of the log that was written last; of the batch script's only if there is no other. */
async function lastLineOf(paths: readonly string[]): Promise<string> {
  const ends: { readonly line: string; readonly time: number }[] = [];
  for (const path of paths) {
    const lines = (await readTextIfAny(path) ?? "").split("\n").filter((line) =>
      line.trim() !== ""
    );
    const line = lines.findLast((line) => !SCRIPT_LINE.test(line)) ?? lines.at(-1);
    const time = (await ifThere(Deno.stat(path)))?.mtime?.getTime() ?? 0;
    if (line !== undefined) ends.push({ line, time: SCRIPT_LINE.test(line) ? 0 : time });
  }
  return ends.toSorted((a, b) => b.time - a.time)[0]?.line ?? "";
}

/** Counts in one line: `12 runs: 3 done, 1 running, 8 waiting`. */
export function countStates(runs: readonly RunStatus[]): string {
  const states = ["done", "running", "waiting", "failed"] as const;
  const counts = states.map((state) => ({
    state,
    count: runs.filter((run) => run.state === state).length,
  }));
  const list = counts.filter(({ count }) => count > 0).map(({ state, count }) =>
    `${count} ${state}`
  );
  return `${runs.length} run${runs.length === 1 ? "" : "s"}: ${list.join(", ") || "none"}`;
}
