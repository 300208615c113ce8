import type { ChainSetting } from "./chain_watch.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { RunEvent } from "./events.ts";
import { streamKey } from "./initial_state.ts";
import type { TrainPosition } from "./train.ts";
import type { ModuleHashes } from "../core/module_graph.ts";
import { stepsPerEpoch } from "../core/row_order.ts";
import type { Stopwatch } from "../core/stopwatch.ts";
import type { Dataset, Device, ImageSet, Method, Model, Problem, Score } from "../core/types.ts";
import type { EpochRecord, Provenance, RunCode, RunSpec, Segment } from "../core/records.ts";

/** Everything that a run needs besides its spec: the table entries that the spec names, the device and the outside world. */
export interface RunContext {
  readonly method: Method;
  readonly dataset: Dataset;
  readonly metrics: readonly Score[];
  readonly device: Device;
  /** The name of the experiment, for the record. */
  readonly experiment: string;
  /** The run's own folder, which exists. */
  readonly dir: string;
  provenance(datasetSha256: string): Promise<Provenance>;
  /** Hashes of the modules that the run executes; the record has no code if absent. */
  modules?(): Promise<ModuleHashes>;
  /** Goes on from a checkpoint of other code. */
  readonly acceptCode?: boolean;
  /** Seconds of training between checkpoints inside an epoch; absent for none. */
  readonly checkpointSeconds?: number;
  /** Asks training to save a checkpoint after the step under way and to end; executeRun then throws its reason. */
  readonly stop?: AbortSignal;
  /** The load average of the machine over the last minute. */
  load?(): number;
  /** Called with each event as it happens. */
  report(event: RunEvent): void;
}

/** A run under way. */
export interface Run extends RunContext {
  readonly spec: RunSpec;
  readonly problem: Problem;
  readonly model: Model;
  /** The training split as the model sees it, without what its hidden pixels were. */
  readonly images: ImageSet;
  /** The training split as it is: what samples are compared with. */
  readonly wholeImages: ImageSet;
  readonly saved: Checkpoint | undefined;
  /** Where training starts: the state and the chains of `saved`, or the initial ones. */
  readonly start: Pick<Checkpoint, "state" | "chains">;
  /** The code that it executes; undefined if unknown. */
  readonly code: RunCode | undefined;
  /** The processes so far, this one last. */
  readonly segments: readonly Segment[];
  readonly stopwatch: Stopwatch;
  /** Grows by one record per epoch. */
  readonly epochs: EpochRecord[];
}

/** Scores of the initial state. */
export type Untrained = Partial<Pick<Checkpoint, "untrained" | "untrainedAlternatives">>;

/** Training steps in the first `epochs` epochs. */
export function stepsAfter(epochs: number, { problem, spec }: Run): number {
  return epochs * stepsPerEpoch(problem.trainCount, spec.batchSize);
}

/** The measurement of the chains of `run` at a position. */
export function chainSetting<R extends Run>(
  { state, chains }: Pick<TrainPosition, "state" | "chains">,
  run: R,
): R & ChainSetting {
  return { ...run, key: streamKey(run.spec, "health"), state, chains };
}
