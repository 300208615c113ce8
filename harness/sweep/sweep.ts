import { CHECKPOINTED } from "../core/exit_codes.ts";
import { parseEvent, type RunEvent } from "../run/events.ts";
import { RECORD_SCHEMA } from "../experiment/record_schema.ts";
import type { EpochRecord, RunRecord, RunSpec } from "../core/records.ts";
import { readRecordFile } from "./record_file.ts";

/** One run of a sweep. */
export interface Job {
  readonly id: string;
  readonly spec: RunSpec;
  readonly experiment: string;
  /** The run's own folder, which exists. */
  readonly dir: string;
}

/** Options of `sweep`. */
export interface SweepOptions {
  /** Number of parallel processes. */
  readonly jobs: number;
  /**
   * The command of a job: it writes RunEvents to standard output and its record to record.json. `slot` is a number below
   * `jobs` that no job running at the same time shares. `env` is added to the environment of this process.
   */
  command(job: Job, slot: number): {
    readonly path: string;
    readonly args: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  };
  /** Stops the running processes by SIGTERM and starts no more. */
  readonly signal: AbortSignal;
  /** Kills the running processes. */
  readonly kill?: AbortSignal;
  /** Milliseconds from SIGTERM to SIGKILL, asked at the former. */
  grace?(): number;
  onStart?(job: Job): void;
  onEvent?(job: Job, event: RunEvent): void;
  /** Called once for each started job, one call at a time. */
  onRecord(job: Job, record: RunRecord): Promise<void>;
}

/**
 * Runs each job in a child process, in order, `jobs` at a time. A job that fails, or whose process crashes twice, gives a failed
 * record, and the others continue. After an interruption the running jobs give interrupted records, and the rest is not started.
 */
export async function sweep(queue: readonly Job[], options: SweepOptions): Promise<void> {
  const waiting = [...queue];
  let stopped = false;
  let last: Promise<void> = Promise.resolve();
  const worker = async (slot: number) => {
    while (!stopped && !options.signal.aborted) {
      const job = waiting.shift();
      if (job === undefined) return;
      options.onStart?.(job);
      const record = await runJob(job, slot, options);
      // Ctrl-C in a terminal also reaches the child, sometimes before this process.
      if (record.status === "interrupted") stopped = true;
      await (last = last.then(() => options.onRecord(job, record)));
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, (_, slot) => worker(slot)));
}

/** Milliseconds between SIGTERM and SIGKILL, where none are given. */
const GRACE = 5000;

/** Number of times that a run is started again after its process crashed. */
const RETRIES = 1;

/** Runs `job`, once more if its process crashes; the record tells of the crash. */
async function runJob(job: Job, slot: number, options: SweepOptions): Promise<RunRecord> {
  const startedAt = new Date().toISOString();
  const earlier = await readRecord(job); // kept until there is a new one
  const crashes: string[] = [];
  while (true) {
    const { status, errors, epochs } = await runProcess(job, slot, options);
    const record = await readRecord(job);
    if (record !== undefined && record.startedAt !== earlier?.startedAt) {
      return crashes.length === 0 ? record : { ...record, crashes };
    }
    const base = {
      schema: RECORD_SCHEMA,
      id: job.id,
      experiment: job.experiment,
      spec: job.spec,
      startedAt,
      provenance: null,
      seconds: {
        train: epochs.reduce((sum, e) => sum + e.seconds, 0),
        sample: 0,
        score: 0,
        other: 0,
      },
      epochs,
      ...crashes.length > 0 && { crashes },
    } as const;
    if (options.signal.aborted || isStopped(status)) return { ...base, status: "interrupted" };
    if (errors !== "") await Deno.writeTextFile(`${job.dir}/log.txt`, errors, { append: true });
    const error = describeDeath(status, errors);
    if (!isCrash(status) || crashes.length === RETRIES) return { ...base, status: "failed", error };
    crashes.push(error);
    options.onEvent?.(job, { event: "warning", text: `${error}; starting it once more` });
  }
}

/** The record in the folder of `job`; undefined if there is none, or a damaged one, which the run replaces. */
async function readRecord({ dir, id }: Job): Promise<RunRecord | undefined> {
  try {
    return await readRecordFile(dir, id);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether a process ended because it was asked to. */
function isStopped({ code, signal }: Deno.CommandStatus): boolean {
  return code === CHECKPOINTED || signal === "SIGINT" || signal === "SIGTERM";
}

/** Whether a process ended by a fault of native code or of the system, rather than by an error that it reported. */
function isCrash({ code, signal }: Deno.CommandStatus): boolean {
  return signal !== null || code > 128;
}

/** Runs one process of `job` to its end. */
async function runProcess(
  job: Job,
  slot: number,
  { command, signal, kill, grace, onEvent }: SweepOptions,
): Promise<{
  readonly status: Deno.CommandStatus;
  readonly errors: string;
  readonly epochs: readonly EpochRecord[];
}> {
  const { path, args, env } = command(job, slot);
  const child = new Deno.Command(path, {
    args: [...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let hasEnded = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = (name: Deno.Signal) => {
    if (!hasEnded) child.kill(name);
  };
  const stop = () => {
    end("SIGTERM");
    timer = setTimeout(() => end("SIGKILL"), grace?.() ?? GRACE);
  };
  const killNow = () => end("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  kill?.addEventListener("abort", killNow, { once: true });
  if (signal.aborted) stop();
  const ended = child.status.then((status) => {
    hasEnded = true;
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    kill?.removeEventListener("abort", killNow);
    return status;
  });
  const epochs: EpochRecord[] = [];
  const [status, errors] = await Promise.all([
    ended,
    readTail(child.stderr),
    readLines(child.stdout, (line) => {
      const event = parseEvent(line);
      if (event?.event === "epoch") epochs.push(event.record);
      if (event !== undefined) onEvent?.(job, event);
    }),
  ]);
  return { status, errors, epochs };
}

/** Describes in one line why a process without a record ended. */
export function describeDeath(status: Deno.CommandStatus, errors: string): string {
  const lastLine = errors.trim().split("\n").at(-1) ?? "";
  if (status.code === 1 && lastLine !== "") return lastLine; // the error message of the run
  const hint = status.signal === "SIGKILL" ? ", as happens when memory runs out" : "";
  const cause = status.signal === null
    ? `The process of the run ended with exit code ${status.code} and no record`
    : `The process of the run was killed by ${status.signal}${hint}`;
  return lastLine === "" ? cause : `${cause}: ${lastLine}`;
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
  if (rest !== "") onLine(rest);
}

/** Maximum number of characters kept of a process's standard error. */
const TAIL = 20_000;

async function readTail(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let tail = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    tail = (tail + text).slice(-TAIL);
  }
  return tail;
}
