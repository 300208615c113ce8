/**
 * log p(x) of the completed runs of an output folder, run by run: what is in its likelihood file is not repeated.
 *
 * @module
 */
import type { AnnealedResult, AnnealedSettings } from "../core/annealed.ts";
import { foldIn, keyOf } from "../core/noise.ts";
import type { Device, DeviceState, JointDensity } from "../core/types.ts";
import type { RunRecord, RunSpec } from "../core/records.ts";
import { changedModules, type CodeReader, listParts } from "../experiment/run_code.ts";
import { modelOf, type Tables } from "../experiment/spec.ts";
import type { Transition } from "../run/annealing.ts";
import { type AnnealingSetting, bidirectional, passesOf, timePass } from "../run/bidirectional.ts";
import { loadCheckpoint } from "../run/checkpoint_files.ts";
import { keyOf as resultKey, type LikelihoodStore, readLikelihoods } from "./likelihood_store.ts";

/** Inputs of the estimates. */
export interface LikelihoodOptions {
  readonly tables: Tables;
  /** The output folder. */
  readonly dir: string;
  readonly settings: AnnealedSettings;
  readonly device: Device;
  readonly transition: Transition;
}

/** A run to be estimated. */
export interface PendingRun {
  readonly id: string;
  readonly spec: RunSpec;
  readonly joint: JointDensity;
}

/** Runs of a folder by whether they have an estimate at these settings. */
export interface LikelihoodPlan {
  readonly pending: readonly PendingRun[];
  readonly done: number;
  /** Methods whose models cannot be simulated, and runs without a checkpoint: why each is left out. */
  readonly leftOut: readonly string[];
}

/** The runs among `records` that lack an estimate. */
export async function planLikelihoods(
  records: readonly RunRecord[],
  { tables, dir, settings, readCode, acceptCode }:
    & Pick<LikelihoodOptions, "tables" | "dir" | "settings">
    & {
      readonly readCode: CodeReader;
      /** Estimates runs whose code has changed since. */
      readonly acceptCode: boolean;
    },
): Promise<LikelihoodPlan> {
  const known = new Set((await readLikelihoods(dir)).map(resultKey));
  const pending: PendingRun[] = [];
  const leftOut: string[] = [];
  let done = 0;
  for (const { id, spec, status } of records) {
    if (status !== "completed") continue;
    const joint = jointOf(spec, tables);
    if (typeof joint === "string") leftOut.push(`${spec.method}: ${joint}`);
    else if (known.has(resultKey({ id, settings }))) done++;
    else {
      const checkpoint = await checkpointOf({ id, spec }, dir);
      const changed = changedModules(checkpoint?.code, await readCode(spec));
      const run = `${spec.method} seed ${spec.seed}`;
      if (checkpoint === undefined) {
        leftOut.push(`${run}: ${dir}/${id} has no checkpoint of its end`);
      } else if (changed.length > 0 && !acceptCode) {
        leftOut.push(
          `${run}: ${
            listParts(changed)
          } changed since it was trained; --accept-code estimates it all the same`,
        );
      } else pending.push({ id, spec, joint });
    }
  }
  return { pending, done, leftOut: [...new Set(leftOut)] };
}

/** The joint density of the model of `spec`, or why there is none: a record may be older than a hyperparameter. */
function jointOf(spec: RunSpec, tables: Tables): JointDensity | string {
  try {
    return modelOf(spec, tables).joint ?? "its model has no joint density";
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `its model cannot be built: ${error.message}`;
  }
}

/** Gradient evaluations of all pending runs, and the seconds they take by the pace of a few of them. */
export async function costOf(
  pending: readonly PendingRun[],
  options: LikelihoodOptions,
): Promise<{ readonly passes: number; readonly seconds: number }> {
  const paces = new Map<string, number>();
  let seconds = 0;
  for (const run of pending) {
    const { method, dataset, hyper } = run.spec;
    const kind = JSON.stringify([method, dataset, hyper]);
    let pace = paces.get(kind);
    if (pace === undefined) {
      const { state, setting } = await open(run, options);
      ({ seconds: pace } = await timePass(state, setting));
      paces.set(kind, pace);
    }
    seconds += pace * passesOf(options.settings);
  }
  return { passes: pending.length * passesOf(options.settings), seconds };
}

/** Estimates one run and appends the result to `store`. */
export async function estimateRun(
  run: PendingRun,
  { store, ...options }: LikelihoodOptions & { readonly store: LikelihoodStore },
  onProgress: (done: number, of: number) => void,
): Promise<AnnealedResult> {
  const startedAt = new Date().toISOString();
  const start = performance.now();
  const { state, setting } = await open(run, options);
  const { likelihood } = await bidirectional(state, { ...setting, onProgress });
  const result: AnnealedResult = {
    schema: 1,
    id: run.id,
    settings: options.settings,
    likelihood,
    seconds: (performance.now() - start) / 1000,
    device: options.device.description,
    startedAt,
  };
  await store.append(result);
  return result;
}

/** The trained state of `run` on the device, and what an estimate needs. */
async function open(
  run: PendingRun,
  { tables, dir, settings, device, transition }: LikelihoodOptions,
): Promise<{ readonly state: DeviceState; readonly setting: AnnealingSetting }> {
  const { spec, joint } = run;
  const checkpoint = await checkpointOf(run, dir);
  if (checkpoint === undefined) throw new Error(`${dir}/${run.id} has no checkpoint of its end`);
  const dataset = tables.datasets[spec.dataset];
  const testImages = await dataset.load("test");
  if (settings.images > testImages.count) {
    throw new RangeError(
      `--images ${settings.images} is more than the ${testImages.count} test images of ${spec.dataset}`,
    );
  }
  // Methods share the key of a data set and a seed: their chains start alike, so that their bounds are compared on them.
  const key = ["annealing", spec.dataset].reduce(foldIn, keyOf(spec.seed));
  return {
    state: await device.upload(checkpoint.state),
    setting: { ...settings, device, joint, transition, key, testImages },
  };
}

/** The checkpoint of a run that trained to its last epoch. */
async function checkpointOf({ id, spec }: Pick<PendingRun, "id" | "spec">, dir: string) {
  const checkpoint = await loadCheckpoint(`${dir}/${id}`);
  return checkpoint?.id === id && checkpoint.epochs.length === spec.epochs ? checkpoint : undefined;
}
