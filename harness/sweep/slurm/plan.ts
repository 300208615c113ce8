/**
 * A sweep as an array of Slurm: bench writes the specs and the batch script, opens no device, and trains nothing.
 *
 * @module
 */
import { resolve } from "node:path";
import { UsageError } from "../../core/arguments.ts";
import { makeOutputFolder, replaceFile } from "../../core/files.ts";
import { plainText } from "../../core/plain_text.ts";
import type { Experiment, RunSpec } from "../../core/records.ts";
import { runId } from "../../experiment/spec.ts";
import {
  availableMetrics,
  type BenchOptions,
  hashDatasets,
  prepareJob,
  resolveWithNotes,
  say,
  selectRuns,
} from "../bench.ts";
import { formatRevision, readRevision } from "../../run/provenance.ts";
import { childCommand, permissionsOf } from "../child.ts";
import { checkCode } from "../code_check.ts";
import { adoptRecords } from "../collect.ts";
import { describeRun } from "../progress.ts";
import { writeExperiment } from "../run_list.ts";
import { openStore } from "../store.ts";
import type { SlurmOptions } from "./options.ts";
import { readQueue, readSubmission, SCRIPT_FILE, writeSubmission } from "./queue.ts";
import { renderScript } from "./script.ts";

/** A sweep that is ready to be submitted. */
export interface SlurmPlan {
  /** Ids of all runs of the experiment, and the indices of those to submit. */
  readonly runs: readonly string[];
  readonly todo: readonly number[];
  /** The batch script. */
  readonly script: string;
}

/**
 * Writes the specs of the missing runs of `experiment` and the batch script into the output folder. Runs that are completed or
 * in the queue are left out.
 */
export async function planSlurm(
  experiment: Experiment,
  options: BenchOptions & { readonly slurm: SlurmOptions },
): Promise<SlurmPlan> {
  const { out, tables, slurm, force } = options;
  const cpus = slurm.cpus ?? experiment.threads;
  if (cpus < experiment.threads) {
    throw new UsageError(
      `--slurm-cpus must be at least the threads of a run, ${experiment.threads}, got ${cpus}`,
    );
  }
  if (plainText(out) !== out) {
    throw new UsageError(`A batch script cannot name the folder "${out}": choose another --out`);
  }
  const { specs, notes } = resolveWithNotes(experiment, options);
  const pixels = await hashDatasets(experiment.datasets, tables);
  const metrics = await availableMetrics(experiment, tables);
  await makeOutputFolder(out);
  using store = await openStore(out);
  if (store.repaired !== undefined) console.error(store.repaired);
  await adoptRecords(out, store);
  await checkCode(specs, { ...options, pixels, records: store.records });
  const ids = specs.map(runId);
  const queue = await checkQueue(out, ids);
  say(notes);
  await writeExperiment(out, experiment, specs);

  const missing = new Set(selectRuns(specs, store.records, { metrics, force }));
  const todo = specs.keys().filter((i) => missing.has(specs[i]) && !queue.has(ids[i])).toArray();
  for (const i of todo) await prepareJob(specs[i], experiment, options);
  const script = `${out}/${SCRIPT_FILE}`;
  if (todo.length > 0) {
    await makeOutputFolder(`${out}/slurm`);
    const text = renderScript({
      experiment: experiment.name,
      out,
      runs: specs.map((spec, i) => ({ id: ids[i], label: plainText(describeRun(spec)) })),
      todo,
      options: { ...slurm, gres: slurm.gres ?? gresOf(experiment.device, slurm) },
      cpus,
      env: {
        NO_COLOR: "1",
        ...options.dataFolder !== undefined && { LAEBENCH_DATA: resolve(options.dataFolder) },
      },
      command: commandOf(specs, options),
      args: [
        "--experiment",
        experiment.name,
        ...["--revision", formatRevision(await readRevision())],
        ...["--checkpoint-seconds", `${options.checkpointSeconds}`],
        ...options.acceptCode ? ["--accept-code"] : [],
      ],
    });
    await replaceFile(script, text);
    const { arrayParallelism } = slurm;
    await writeSubmission(out, { runs: ids, ...arrayParallelism && { arrayParallelism } });
  }
  return { runs: ids, todo, script };
}

/** The runs of `out` in the queue. Throws UsageError if another list of runs than `ids` is there, whose tasks would change. */
async function checkQueue(
  out: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, unknown>> {
  const queue = await readQueue(out) ?? new Map();
  const earlier = await readSubmission(out);
  if (queue.size > 0 && earlier?.runs.join() !== ids.join()) {
    throw new UsageError(
      `${queue.size} runs of another experiment in ${out} are in the queue: wait for them, cancel ` +
        "them with scancel, or choose another --out",
    );
  }
  return queue;
}

/** A GPU for a device that needs one, unless the options name theirs. */
function gresOf(device: string, { arg }: SlurmOptions): string | undefined {
  const needsGpu = /^cuda(:|$)/.test(device) || device === "tfjs-node-gpu";
  return needsGpu && !arg.some((text) => text.includes("gpu")) ? "gpu:1" : undefined;
}

/** The program that executes one of `specs`, with the permissions that any of them needs. */
function commandOf(
  specs: readonly RunSpec[],
  { out, dataFolder, moduleFolders }: Pick<BenchOptions, "out" | "dataFolder" | "moduleFolders">,
): string[] {
  const all = specs.map((spec) => permissionsOf(spec, { dir: out, dataFolder, moduleFolders }));
  const { path, args } = childCommand(["run"], {
    read: [...new Set(all.flatMap(({ read }) => read))],
    write: [...new Set(all.flatMap(({ write }) => write))],
    anyLibrary: all.some(({ anyLibrary }) => anyLibrary),
  });
  return [path, ...args];
}
