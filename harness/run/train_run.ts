/**
 * The training of a run: its epochs, with checkpoints after and inside them.
 *
 * @module
 */
import { compileChainWatch } from "./chain_watch.ts";
import { saveCheckpoint } from "./checkpoint_files.ts";
import { streamKey } from "./initial_state.ts";
import { chainSetting, type Run, stepsAfter, type Untrained } from "./run_context.ts";
import type { Scores } from "./scorer.ts";
import {
  type PartialEpoch,
  stepFunction,
  stepInputs,
  train,
  type TrainOptions,
  type TrainPosition,
} from "./train.ts";
import { replaceFile } from "../core/files.ts";
import { orderKey } from "../core/row_order.ts";
import type { Device, DeviceState, HostArrays, PureFunction } from "../core/types.ts";
import type { EpochRecord, RunSpec } from "../core/records.ts";
import { runId } from "../experiment/spec.ts";

/**
 * Trains from `position` to the last epoch. Saves a checkpoint after each epoch and every `checkpointSeconds` inside one.
 * Throws the reason of `stop`, once a checkpoint of the steps so far is saved.
 */
export async function trainRun(
  position: TrainPosition,
  run: Run & {
    /** Saved in every checkpoint. */
    readonly untrained: Untrained;
    /** Scores samples of a state, with the persistent chains as they are. */
    readonly scoreOf: (state: HostArrays) => Promise<Scores>;
  },
): Promise<DeviceState> {
  const { spec, device, dir, stopwatch, stop, report } = run;
  const { checkpointSeconds = Infinity } = run;
  const { step, specs } = stepProgram(position.state, run);
  await using program = await device.compile(step, specs);
  await using watch = spec.epochs - position.epoch > 1
    ? await compileChainWatch(
      chainSetting(position, run),
      (text) => report({ event: "warning", text }),
    )
    : undefined;
  let savedAt = performance.now();
  const save = async (host: HostArrays, partial?: PartialEpoch) => {
    await saveCheckpoint(dir, {
      id: runId(spec),
      ...run.code && { code: run.code },
      epochs: run.epochs,
      ...partial && { partial },
      segments: run.segments,
      seconds: stopwatch.read(),
      untrained: {},
      ...run.untrained,
      state: host,
      chains: position.chains,
    });
    savedAt = performance.now();
  };
  const turn = createTurns();
  // The initial state is scored only once.
  if (run.saved === undefined && spec.scoreUntrained) {
    await save(await device.download(position.state));
  }
  report({ event: "phase", phase: "train" });
  stop?.throwIfAborted();
  const reached = train(position, {
    ...trainOptions(run),
    program,
    epochs: spec.epochs,
    stopwatch,
    onStep: (step, metrics) => report({ event: "step", epoch: run.epochs.length, step, metrics }),
    async pause() {
      await turn();
      return stop?.aborted === true || performance.now() - savedAt > 1000 * checkpointSeconds;
    },
  });
  let { state } = position;
  for await (const { position, ended } of reached) {
    state = position.state;
    const host = await device.download(state);
    if (ended === undefined) await save(host, position.partial);
    else {
      const { record: trained, partial } = ended;
      const reachedEpochs = trained.epoch + 1;
      const isScored = isScoredAfter(reachedEpochs, spec);
      if (isScored) await save(host, partial); // scoring may take longer than the epoch
      // The chains are measured on more images after the last epoch.
      const chainHealth = reachedEpochs < spec.epochs
        ? await watch?.check(host, stepsAfter(reachedEpochs, run))
        : undefined;
      const scores = isScored ? await run.scoreOf(host) : undefined;
      if (scores !== undefined) report({ event: "phase", phase: "train" });
      const load = run.load?.();
      const record = {
        ...trained,
        ...load !== undefined && { load },
        ...scores && { scores },
        ...chainHealth && { chainHealth },
      };
      run.epochs.push(record);
      await save(host);
      await appendEpoch(dir, record);
      report({ event: "epoch", record });
    }
    stop?.throwIfAborted();
  }
  return state;
}

/** A training step and the shapes of its arguments, as a device compiles them. */
export interface StepProgram {
  readonly step: PureFunction;
  readonly specs: Parameters<Device["compile"]>[1];
}

/** The training step of `run`, for states with the shapes of `state`. */
export function stepProgram(
  state: DeviceState,
  { spec, model, images: { image, seen } }: Run,
): StepProgram {
  const inputs = stepInputs(model, {
    image,
    batchSize: spec.batchSize,
    isPartial: seen !== undefined,
  });
  return {
    step: stepFunction(model, streamKey(spec, "step")),
    specs: { state: state.specs, inputs },
  };
}

/** The data of the training of `run` and their order. */
export function trainOptions(
  { spec, model, images, problem: { trainCount } }: Run,
): Pick<TrainOptions, "images" | "trainCount" | "batchSize" | "orderKey" | "model"> {
  const { batchSize } = spec;
  return { images, trainCount, batchSize, orderKey: orderKey(spec.seed, spec.dataset), model };
}

/** Milliseconds without a turn of the event loop after which a signal or the end of the parent is looked for. */
const TURN = 100;

/**
 * Makes the function that lets the event loop turn if it has not for a while: a device that computes in this thread would
 * otherwise train without a turn, and no signal would arrive.
 */
export function createTurns(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < TURN) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}

/** Whether samples are scored after `reached` epochs; after the last one, every run is. */
function isScoredAfter(reached: number, { epochs, scoreEvery }: RunSpec): boolean {
  return scoreEvery !== undefined && reached < epochs && reached % scoreEvery === 0;
}

/** Makes epochs.jsonl in `dir` hold `epochs` and nothing else. */
export async function rewriteEpochs(dir: string, epochs: readonly EpochRecord[]): Promise<void> {
  await replaceFile(`${dir}/epochs.jsonl`, epochs.map((e) => `${JSON.stringify(e)}\n`).join(""));
}

async function appendEpoch(dir: string, record: EpochRecord): Promise<void> {
  await Deno.writeTextFile(`${dir}/epochs.jsonl`, `${JSON.stringify(record)}\n`, { append: true });
}
