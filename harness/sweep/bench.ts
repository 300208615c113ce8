import { refuseIfStrict, threadsWarning, warningsOf } from "../experiment/warnings.ts";
import { environmentOf, GPUS_VARIABLE, gpusFor, sharedGpuWarning } from "./gpus.ts";
import { checkCode } from "./code_check.ts";
import type { CodeReader, PixelHashes } from "../experiment/run_code.ts";
import { childCommand, permissionsOf } from "./child.ts";
import { adoptRecords, findRecords } from "./collect.ts";
import { pacesOf, stepsOfRun } from "../experiment/estimate.ts";
import { claimFolder } from "../core/file_lock.ts";
import { makeOutputFolder, readTextIfAny, replaceFile } from "../core/files.ts";
import { plainText } from "../core/plain_text.ts";
import { countThreads } from "../core/threads.ts";
import { parseSpec } from "../experiment/record_schema.ts";
import { availableCores } from "../core/threads.ts";
import { forecast } from "./forecast.ts";
import { listHyper } from "../experiment/listing.ts";
import { createProgress, describeRun } from "./progress.ts";
import { formatRevision, readRevision } from "../run/provenance.ts";
import { listenForInterruption } from "./interruption.ts";
import { removeCheckpoints } from "../run/checkpoint_files.ts";
import { leftOutScores, modelOf, resolveRuns, runId, type Tables } from "../experiment/spec.ts";
import { latestRecords, openStore, readResults, type Store } from "./store.ts";
import { writeExperiment } from "./run_list.ts";
import { readQueue } from "./slurm/queue.ts";
import { type Job, sweep } from "./sweep.ts";
import type { Experiment, RunRecord, RunSpec } from "../core/records.ts";

/** Options of `bench`. */
export interface BenchOptions {
  readonly tables: Tables;
  /** The output folder, absolute. */
  readonly out: string;
  readonly jobs: number;
  /** Repeats completed runs from the start. */
  readonly force: boolean;
  /** Uses results and checkpoints of code that has changed since. */
  readonly acceptCode: boolean;
  readonly readCode: CodeReader;
  /** Refuses settings that a method warns about. */
  readonly strict: boolean;
  /** Seconds of training between checkpoints inside an epoch. */
  readonly checkpointSeconds: number;
  /** The absolute path of the data folder, which runs may read. */
  readonly dataFolder: string | undefined;
  /** Absolute paths of the folders of the user's modules, which runs may read. */
  readonly moduleFolders?: readonly string[];
  /** Writes the reports of `records` into the output folder. Resolves to the text to print. */
  publish(records: readonly RunRecord[]): Promise<string>;
}

/** How a sweep ended. */
export interface BenchResult {
  /** Whether every run of the experiment is completed. */
  readonly complete: boolean;
  /** The signal that ended it early; undefined if none did. */
  readonly interrupted: Deno.Signal | undefined;
}

/** Number of optimizer steps above which runs that were never timed here are timed before they start. */
const LONG_SWEEP_STEPS = 20_000;

/**
 * Prints the resolved runs of `experiment` and their estimated time; writes nothing. With `probe`, the first steps of runs that
 * were never timed here are timed; without it, no device is opened.
 */
export async function dryRun(
  experiment: Experiment,
  options: BenchOptions & { readonly probe: boolean },
): Promise<void> {
  const { specs, notes } = resolveWithNotes(experiment, options);
  say(notes);
  const { records: known } = await readResults(options.out);
  const { records: found } = await findRecords(options.out, known);
  const records = [...known, ...found];
  const metrics = await availableMetrics(experiment, options.tables);
  if (records.length > 0) {
    const pixels = await hashDatasets(experiment.datasets, options.tables);
    await checkCode(specs, { ...options, pixels, records });
  }
  const todo = selectRuns(specs, records, { metrics, force: options.force });
  for (const line of listHyper(specs)) console.log(line);
  const waiting = new Set(todo);
  for (const spec of specs) {
    const { datasets } = options.tables;
    const steps = stepsOfRun(spec, datasets[spec.dataset]) / spec.epochs;
    const state = waiting.has(spec) ? "" : " (completed earlier, skipped)";
    const facts = [
      `${spec.epochs} epochs of ${steps} steps of ${spec.batchSize}${workOf(spec, options.tables)}`,
      `${spec.sampleCount} samples for ${spec.metrics.join(" ") || "no score"}`,
      `${spec.device} with ${countThreads(spec.threads)}`,
    ];
    console.log(plainText(`${runId(spec)} ${describeRun(spec)}: ${facts.join(", ")}${state}`));
  }
  console.log(await forecast(todo, { ...options, records }));
}

/** ` images, 0.12 TFLOP a step`, by the method's formula; empty without one. */
function workOf(spec: RunSpec, tables: Tables): string {
  const { flops } = modelOf(spec, tables);
  return flops === undefined
    ? ""
    : ` images, ${Number((flops / 1e12).toPrecision(3))} TFLOP a step`;
}

/** Runs the missing runs of `experiment`, then publishes all results of the output folder. */
export async function bench(experiment: Experiment, options: BenchOptions): Promise<BenchResult> {
  const { specs, notes } = resolveWithNotes(experiment, options);
  const { records, interrupted } = await runSpecs(specs, experiment, {
    ...options,
    onStart: async () => {
      say(notes);
      await writeExperiment(options.out, experiment, specs);
    },
  });
  if (interrupted === undefined) console.log(await options.publish(records));
  const write = writeErrors();
  const ids = new Set(specs.map(runId));
  const own = records.filter(({ id }) => ids.has(id));
  const unfinished = own.filter(({ status }) => status !== "completed");
  for (const { spec, status } of unfinished) {
    write(`${plainText(`${describeRun(spec)}: ${status}`)}\n`);
  }
  if (interrupted !== undefined) {
    write(
      "Interrupted: run the same command again to resume; deno task report has the tables so far\n",
    );
  }
  const complete = own.length === ids.size && unfinished.length === 0;
  return { complete, interrupted };
}

/** The part of an experiment that `runSpecs` needs. */
type RunFacts = Pick<Experiment, "name" | "datasets" | "metrics" | "device">;

/**
 * Runs those of `specs` that the output folder lacks. Resolves to the latest records of the folder. `onStart` is called once
 * the folder is open, before the first run.
 */
export async function runSpecs(
  specs: readonly RunSpec[],
  experiment: RunFacts,
  options: Omit<BenchOptions, "strict" | "publish"> & { onStart?(): Promise<void> },
): Promise<Pick<BenchResult, "interrupted"> & { readonly records: readonly RunRecord[] }> {
  const { out, tables, force, jobs } = options;
  const count = await checkDevice(specs[0]);
  const pixels = await hashDatasets(experiment.datasets, tables);
  const metrics = await availableMetrics(experiment, tables);
  await makeOutputFolder(out);
  using store = await openStore(out);
  if (store.repaired !== undefined) console.error(store.repaired);
  await adoptRecords(out, store);
  await checkCode(specs, { ...options, pixels, records: store.records });
  await options.onStart?.();

  const missing = selectRuns(specs, store.records, { metrics, force });
  const todo = await withoutQueued(missing, out);
  const skipped = specs.length - missing.length;
  if (skipped > 0) {
    console.error(
      `Skipping ${skipped} of ${specs.length} runs, completed earlier; --force repeats them`,
    );
  }
  const steps = todo.reduce(
    (sum, spec) => sum + stepsOfRun(spec, tables.datasets[spec.dataset]),
    0,
  );
  if (todo.length > 0) {
    const probe = steps > LONG_SWEEP_STEPS;
    console.error(await forecast(todo, { ...options, records: store.records, probe }));
  }
  const gpus = gpusFor(experiment.device, { count, visible: Deno.env.get(GPUS_VARIABLE) });
  const shared = sharedGpuWarning(experiment.device, { gpus, jobs });
  if (shared !== undefined) console.error(shared);
  const revision = formatRevision(await readRevision());
  const interrupted = await runAll(
    await Promise.all(todo.map((spec) => prepareJob(spec, experiment, options))),
    { store, jobs, gpus, revision, options },
  );
  return { records: latestRecords(store.records), interrupted };
}

/** The runs of `experiment`, with lines to print: warnings, refused if `strict`, and scores that are left out. */
export function resolveWithNotes(experiment: Experiment, { tables, strict, jobs }: BenchOptions) {
  const specs = resolveRuns(experiment, tables);
  const warnings = warningsOf(specs, tables);
  refuseIfStrict(warnings, strict);
  const cores = availableCores();
  const crowded = threadsWarning({ ...experiment, jobs, cores });
  const notes = [
    ...crowded === undefined ? [] : [`Warning: ${crowded}`],
    ...warnings.map((line) => `Warning: ${line}`),
    ...leftOutScores(experiment, tables),
  ];
  return { specs, notes };
}

export function say(lines: readonly string[]): void {
  for (const line of lines) console.error(plainText(line));
}

/**
 * Selects the runs to do: those neither diverged nor completed with every score of theirs in `metrics`, or all with `force`. A
 * run that lacks only a score resumes from its last checkpoint.
 */
export function selectRuns(
  specs: readonly RunSpec[],
  records: readonly RunRecord[],
  { metrics, force }: { readonly metrics: readonly string[]; readonly force: boolean },
): RunSpec[] {
  const isDone = (record: RunRecord) =>
    record.status === "diverged" || record.status === "completed" &&
      record.spec.metrics.every((name) => !metrics.includes(name) || name in record.scores);
  const done = new Set(latestRecords(records).filter(isDone).map(({ id }) => id));
  return specs.filter((spec) => force || !done.has(runId(spec)));
}

/** Those of `specs` that Slurm does not have in its queue; says how many it has. */
async function withoutQueued(specs: readonly RunSpec[], out: string): Promise<RunSpec[]> {
  const queue = await readQueue(out);
  if (queue === undefined) {
    console.error(`Runs of ${out} were submitted to Slurm, whose queue cannot be asked here`);
    return [...specs];
  }
  const free = specs.filter((spec) => !queue.has(runId(spec)));
  const count = specs.length - free.length;
  if (count > 0) {
    console.error(
      `Leaving ${count} runs to Slurm, where they are queued: deno task status ${out}`,
    );
  }
  return free;
}

/** Returns the metrics that are available on this machine; prints the reason and a hint for each other one. */
export async function availableMetrics({ metrics }: RunFacts, tables: Tables): Promise<string[]> {
  const available: string[] = [];
  for (const name of metrics) {
    const why = await tables.metrics[name].available?.() ?? null;
    if (why === null) available.push(name);
    else console.error(`Continuing without ${name}: ${why}`);
  }
  return available;
}

/**
 * Opens a device that may be missing, in a child process as the runs will, so that an error is reported before they start.
 * Resolves to the number of GPUs that it found, or 0 if unknown.
 */
async function checkDevice(spec: RunSpec): Promise<number> {
  const permissions = permissionsOf(spec, { dataFolder: undefined });
  if (!permissions.anyLibrary) return 0;
  const { path, args } = childCommand(["device", spec.device], permissions);
  const { success, code, ...output } = await new Deno.Command(path, { args: [...args] }).output();
  const lastLine = (bytes: BufferSource) =>
    new TextDecoder().decode(bytes).trim().split("\n").at(-1);
  if (success) return Number(lastLine(output.stdout));
  throw new Error(
    lastLine(output.stderr) || `Device ${spec.device}: its process ended with exit code ${code}`,
  );
}

/** Loads both splits of the data sets `names`, so that a missing file is reported before any run starts; hashes them. */
export async function hashDatasets(
  names: readonly string[],
  { datasets }: Tables,
): Promise<Record<string, PixelHashes>> {
  const hashes: Record<string, PixelHashes> = {};
  for (const name of names) {
    const { sha256: train } = await datasets[name].load("train");
    const { sha256: test } = await datasets[name].load("test"); // for the reconstructions, and for some scores
    hashes[name] = { train, test };
  }
  return hashes;
}

export async function prepareJob(
  spec: RunSpec,
  experiment: RunFacts,
  { out, force }: Pick<BenchOptions, "out" | "force">,
): Promise<Job> {
  const id = runId(spec);
  const dir = `${out}/${id}`;
  await makeOutputFolder(dir);
  if (force) {
    using _claim = await claimFolder(dir, { hint: "wait for it, or end it" });
    await removeCheckpoints(dir);
  }
  const path = `${dir}/spec.json`;
  const text = `${JSON.stringify(spec, null, 2)}\n`;
  const found = await readTextIfAny(path);
  if (found !== undefined && found !== text && !isSpecOf(found, id)) {
    console.error(
      `${path} was not the spec of run ${id}, after whose spec the folder is named: restored it`,
    );
  }
  await replaceFile(path, text);
  return { id, spec, experiment: experiment.name, dir };
}

/** Whether `text` is the spec of the run `id`. */
function isSpecOf(text: string, id: string): boolean {
  try {
    return runId(parseSpec(text, "")) === id;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** Runs `queue` until it is done or interrupted by a signal. Resolves to the signal, if any. */
async function runAll(
  queue: readonly Job[],
  { store, jobs, gpus, revision, options }: {
    readonly store: Store;
    readonly jobs: number;
    readonly gpus: readonly string[];
    readonly revision: string;
    readonly options: Pick<
      BenchOptions,
      "tables" | "dataFolder" | "moduleFolders" | "acceptCode" | "checkpointSeconds"
    >;
  },
): Promise<Deno.Signal | undefined> {
  using interruption = listenForInterruption();
  const progress = createProgress({
    queue,
    paces: pacesOf(store.records),
    jobs,
    stepsPerEpoch: (spec) => stepsOfRun(spec, options.tables.datasets[spec.dataset]) / spec.epochs,
    write: writeErrors(),
    terminal: Deno.stderr.isTerminal() ? Deno.consoleSize() : undefined,
  });
  let isInterrupted = false;
  try {
    await sweep(queue, {
      jobs,
      signal: interruption.stop,
      kill: interruption.kill,
      grace: () => interruption.grace,
      command: ({ dir, experiment, spec }, slot) => ({
        env: environmentOf(slot, gpus),
        ...childCommand(
          [
            "run",
            `${dir}/spec.json`,
            ...["--out", dir],
            ...["--experiment", experiment],
            ...["--jobs", `${jobs}`],
            ...["--checkpoint-seconds", `${options.checkpointSeconds}`],
            ...["--revision", revision],
            ...["--parent", `${Deno.pid}`],
            ...options.acceptCode ? ["--accept-code"] : [],
          ],
          permissionsOf(spec, {
            dir,
            dataFolder: options.dataFolder,
            moduleFolders: options.moduleFolders,
          }),
        ),
      }),
      onStart: progress.start,
      onEvent: progress.event,
      async onRecord(job, record) {
        if (record.status === "interrupted") isInterrupted = true;
        await store.append(record);
        progress.record(job, record);
      },
    });
  } finally {
    progress.end();
  }
  return interruption.by ?? (isInterrupted ? "SIGINT" : undefined);
}

/** Writes to standard error while there is one: the terminal may end before the sweep. */
function writeErrors(): (text: string) => void {
  let isThere = true;
  return (text) => {
    if (!isThere) return;
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(text));
    } catch {
      isThere = false; // messages are all that is lost
    }
  };
}
