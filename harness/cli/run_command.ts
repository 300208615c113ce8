/**
 * `deno task run`: one run in this process, as bench or a cluster scheduler starts it.
 *
 * @module
 */
import { basename, dirname } from "node:path";
import { Command } from "commander";
import { parseCount, parseSeconds, UsageError } from "../core/arguments.ts";
import { CHECKPOINTED } from "../core/exit_codes.ts";
import { claimFolder } from "../core/file_lock.ts";
import { makeOutputFolder, removeTemporary, systemReason } from "../core/files.ts";
import { projectPath, userPath } from "../core/project.ts";
import type { Dataset, Method, Score } from "../core/types.ts";
import type { RunSpec } from "../core/records.ts";
import { openDevice } from "../engine/device.ts";
import { parseSpec } from "../experiment/record_schema.ts";
import { codeReader } from "../experiment/run_code.ts";
import { runId } from "../experiment/spec.ts";
import type { RunEvent } from "../run/events.ts";
import { failedRecord } from "../run/failed_record.ts";
import { parseRevision, readProvenance, readRevision, type Revision } from "../run/provenance.ts";
import { executeRun } from "../run/run.ts";
import { listenForStops, StopRequest } from "../run/stop_requests.ts";
import { throttleEvents } from "../run/throttle.ts";
import { RECORD_FILE, writeRecordFile } from "../sweep/record_file.ts";

interface RunArguments {
  readonly out: string;
  readonly experiment: string;
  readonly jobs: string;
  readonly acceptCode?: boolean;
  readonly checkpointSeconds: string;
  readonly revision?: string;
  readonly parent?: string;
}

/** The table entries that a spec names. */
export interface Entries {
  readonly method: Method;
  readonly dataset: Dataset;
  readonly metrics: readonly Score[];
}

/** Default of `--checkpoint-seconds`. */
export const CHECKPOINT_SECONDS = "300";

/** Defines the command `run`. */
export function runCommand(entriesOf: (spec: RunSpec) => Promise<Entries>): Command {
  return new Command("run")
    .description(
      `execute one run in this process, as bench or a cluster scheduler starts it; SIGTERM and SIGUSR1 save a checkpoint and end with exit code ${CHECKPOINTED}`,
    )
    .argument("<spec>", "file with a run spec, as bench writes it")
    .requiredOption("--out <folder>", `folder for ${RECORD_FILE}, the checkpoint and the samples`)
    .option("--experiment <name>", "name of the experiment, for the record", "single")
    .option("--jobs <count>", "number of parallel runs on the machine, for the record", "1")
    .option("--accept-code", "resume from a checkpoint of code that has changed since")
    .option(
      "--checkpoint-seconds <seconds>",
      "seconds of training between checkpoints inside an epoch",
      CHECKPOINT_SECONDS,
    )
    .option("--revision <text>", "commit of the code, for the record (default: git is asked)")
    .option("--parent <pid>", "end when this process, which started it, is gone")
    .action((path: string, typed: RunArguments) => execute(path, typed, entriesOf));
}

/** Milliseconds that a run waits for its folder under bench: an earlier process may still be saving its last step. */
const PATIENCE = 30_000;

async function execute(
  path: string,
  typed: RunArguments,
  entriesOf: (spec: RunSpec) => Promise<Entries>,
): Promise<void> {
  const file = userPath(path);
  const spec = parseSpec(await readSpec(file), path);
  refuseEdited(spec, file);
  const dir = userPath(typed.out);
  const options = {
    ...typed,
    jobs: parseCount(typed.jobs, "--jobs"),
    checkpointSeconds: parseSeconds(typed.checkpointSeconds, "--checkpoint-seconds"),
    revision: typed.revision === undefined ? await readRevision() : parseRevision(typed.revision),
    parent: typed.parent === undefined ? undefined : parseCount(typed.parent, "--parent"),
  };
  const startedAt = new Date().toISOString();
  await makeOutputFolder(dir);
  using _claim = await claimFolder(dir, {
    wait: options.parent === undefined ? 0 : PATIENCE,
    hint: "wait for it, or end it",
  });
  await removeTemporary(dir, { all: true });
  try {
    await executeStoppable(spec, { ...options, dir, ...await entriesOf(spec) });
  } catch (error) {
    if (error instanceof StopRequest) {
      Deno.exitCode = CHECKPOINTED;
      if (options.parent === undefined) {
        console.error(`Stopped ${error.message}: the same command goes on from the checkpoint`);
      }
      return;
    }
    if (error instanceof Error) {
      await Deno.writeTextFile(`${dir}/log.txt`, `${error.stack}\n`, { append: true });
      const { experiment } = typed;
      const failure = { dir, error: error.message, experiment, startedAt };
      await writeRecordFile(dir, await failedRecord(spec, failure));
    }
    throw error;
  }
}

/** The text of a spec. Throws Error with a remedy if there is none. */
async function readSpec(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new Error(
      `Cannot read ${path} (${
        systemReason(error)
      }): name a spec.json, as bench writes it to OUT/ID/spec.json`,
      { cause: error },
    );
  }
}

/** Throws UsageError if the folder of the spec's file is named after another spec: the file was edited. */
function refuseEdited(spec: RunSpec, file: string): void {
  const named = basename(dirname(file));
  if (!/^[0-9a-f]{12}$/.test(named) || named === runId(spec)) return;
  throw new UsageError(
    `${file} was edited: it is the spec of run ${runId(spec)}, not ${named}. ` +
      "Let deno task bench write a folder for the changed spec, or restore this one",
  );
}

/**
 * Executes the run and writes its record. Throws StopRequest after a request to stop, once a checkpoint is saved; where there
 * is nothing to save, because the run loads, compiles or scores, the process ends at once.
 */
async function executeStoppable(
  spec: RunSpec,
  { dir, parent, jobs, revision, metrics, ...options }: Entries & {
    readonly dir: string;
    readonly parent: number | undefined;
    readonly jobs: number;
    readonly revision: Revision;
    readonly experiment: string;
    readonly checkpointSeconds: number;
    readonly acceptCode?: boolean;
  },
): Promise<void> {
  using stops = listenForStops(parent);
  let isTraining = false;
  const endIfIdle = () => {
    if (!isTraining) Deno.exit(CHECKPOINTED);
  };
  stops.signal.addEventListener("abort", endIfIdle);
  const tellBench = throttleEvents((event) => {
    try {
      tell(event);
    } catch (error) {
      if (parent === undefined || !(error instanceof Deno.errors.BrokenPipe)) throw error;
      stops.request("because the process that started it is gone");
    }
  });
  await using device = await openDevice(spec.device, { threads: spec.threads });
  const record = await executeRun(spec, {
    ...options,
    metrics,
    device,
    dir,
    provenance: (datasetSha256) =>
      readProvenance({ revision, device: device.description, datasetSha256, metrics, jobs }),
    modules: () => codeReader(projectPath("."))(spec),
    stop: stops.signal,
    load: () => Deno.loadavg()[0],
    report(event) {
      if (event.event === "phase") {
        isTraining = event.phase === "train";
        if (!isTraining) stops.signal.throwIfAborted();
      }
      tellBench(event);
    },
  });
  stops.signal.removeEventListener("abort", endIfIdle); // what is left takes no time
  await writeRecordFile(dir, record);
}

/** Writes `event` as a line to standard output. Throws if the pipe is closed, so that a run ends with its reader. */
function tell(event: RunEvent): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify(event)}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}
