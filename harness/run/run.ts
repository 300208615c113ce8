import { measureAmortization } from "./amortization.ts";
import { type BoundScorer, compileBoundScorer } from "./bound_scorer.ts";
import { type Chains } from "./batches.ts";
import { orderKey } from "../core/row_order.ts";
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import type { RunEvent } from "./events.ts";
import { replaceFile } from "../core/files.ts";
import { initialise, streamKey } from "./initial_state.ts";
import { isBound, isMetric } from "../metrics/likelihood_bounds.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { writeSampleGrid } from "./sample_grid.ts";
import { reconstruct, type Reconstructions } from "./reconstruct.ts";
import { compileGenerator } from "./generator.ts";
import { createScorer, type Scores } from "./scorer.ts";
import { problemOf, runId } from "../experiment/spec.ts";
import { startStopwatch, type Stopwatch } from "../core/stopwatch.ts";
import { stepFunction, stepInputs, train, type TrainPosition } from "./train.ts";
import type {
  Dataset,
  Device,
  DeviceState,
  Diagnostics,
  EpochRecord,
  ImageSet,
  Method,
  Model,
  Problem,
  Provenance,
  RunRecord,
  RunSpec,
  Score,
} from "../core/types.ts";

/** What a run works with: the entries that its spec names, and the outside world. */
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
  /** Told what happens, as it happens. */
  report(event: RunEvent): void;
}

/** The file of a run's checkpoint in its folder. */
export const CHECKPOINT_FILE = "checkpoint.safetensors";

/**
 * Trains, samples and scores `spec`: goes on from the checkpoint in the run's folder if there is one, to
 * the same bits as without the interruption. Resolves to a record that is completed or diverged; throws
 * on anything else.
 */
export async function executeRun(spec: RunSpec, context: RunContext): Promise<RunRecord> {
  const startedAt = new Date().toISOString();
  const { dir, report } = context;
  const id = runId(spec);
  report({ event: "phase", phase: "load" });
  const saved = await loadOwnCheckpoint(dir, id);
  const stopwatch = startStopwatch({ before: saved?.seconds });
  const images = await context.dataset.load("train");
  const epochs: EpochRecord[] = [...saved?.epochs ?? []];
  await rewriteEpochs(dir, epochs);
  const record = {
    schema: 1,
    id,
    experiment: context.experiment,
    spec,
    startedAt,
    provenance: await context.provenance(images.sha256),
    epochs,
  } as const;
  const problem = problemOf(spec, context.dataset);
  const model = context.method.build(problem, spec.hyper);
  try {
    const run = { ...context, spec, problem, model, images, saved, stopwatch, epochs };
    const results = await trainAndScore(run);
    return { ...record, seconds: stopwatch.read(), status: "completed", ...results };
  } catch (error) {
    if (!(error instanceof NotFiniteError)) throw error;
    return {
      ...record,
      seconds: stopwatch.read(),
      status: "diverged",
      epoch: Math.min(epochs.length, spec.epochs - 1),
      metric: error.what,
    };
  }
}

/** A run under way. */
interface Run extends RunContext {
  readonly spec: RunSpec;
  readonly problem: Problem;
  readonly model: Model;
  /** The training part. */
  readonly images: ImageSet;
  readonly saved: Checkpoint | undefined;
  readonly stopwatch: Stopwatch;
  /** Grows by one record an epoch. */
  readonly epochs: EpochRecord[];
}

/** Results of a completed run. */
type Results = Pick<
  RunRecord & { status: "completed" },
  "scores" | "untrained" | "bounds" | "reconstructionError" | "diagnostics"
>;

async function trainAndScore(run: Run): Promise<Results> {
  const { spec, model, dataset, device, saved, report } = run;
  const { trainCount } = run.problem;
  const start = saved ?? await initialise(spec, { model, trainCount });
  const chains = start.chains as Chains;
  let state = await device.upload(start.state);

  report({ event: "phase", phase: "compile" });
  await using generator = await compileGenerator(device, {
    model,
    key: streamKey(spec, "sample"),
    state,
    count: spec.sampleCount,
    image: dataset.image,
  });
  const score = createScorer({ ...run, metrics: run.metrics.filter(isMetric), generator });
  await using bounds = await compileBounds(state, run);
  let untrained: Scores = saved?.untrained ?? {};
  if (saved === undefined && spec.scoreUntrained) {
    ({ state, scores: untrained } = await score(state, chains));
    const bounded = await bounds?.score(state);
    if (bounded) {
      state = bounded.state;
      untrained = { ...untrained, ...bounded.scores };
    }
  }
  if (run.epochs.length < spec.epochs) {
    state = await trainOn({ epoch: run.epochs.length, state, chains }, { ...run, untrained });
  }
  const { scores, images, state: scored } = await score(state, chains);
  await writeSampleGrid(`${run.dir}/samples.png`, images);
  const bounded = await bounds?.score(scored);
  const reconstructions = await showReconstructions(bounded?.state ?? scored, run);
  const diagnostics = await diagnose(reconstructions.state, run);
  return {
    scores: { ...scores, ...bounded?.scores },
    untrained,
    ...bounded && { bounds: bounded.bases },
    ...reconstructions.squaredError !== undefined && {
      reconstructionError: reconstructions.squaredError,
    },
    ...diagnostics && { diagnostics },
  };
}

/** Trains from `position` to the last epoch, and leaves a checkpoint after each. */
async function trainOn(
  position: TrainPosition,
  run: Run & {
    /** Scores of the initial state, for the checkpoints. */
    readonly untrained: Scores;
  },
): Promise<DeviceState> {
  const { spec, model, dataset, device, dir, stopwatch, report } = run;
  await using program = await device.compile(
    stepFunction(model, streamKey(spec, "step")),
    {
      state: position.state.specs,
      inputs: stepInputs({
        image: dataset.image,
        batchSize: spec.batchSize,
        chains: model.chains,
      }),
    },
  );
  report({ event: "phase", phase: "train" });
  const epochs = train(position, {
    program,
    images: run.images,
    trainCount: run.problem.trainCount,
    batchSize: spec.batchSize,
    epochs: spec.epochs,
    orderKey: orderKey(spec.seed, spec.dataset),
    stopwatch,
    onStep: (step, metrics) => report({ event: "step", epoch: run.epochs.length, step, metrics }),
  });
  let { state } = position;
  for await (const { record, position: { state: reached, chains } } of epochs) {
    run.epochs.push(record);
    state = reached;
    await saveCheckpoint(`${dir}/${CHECKPOINT_FILE}`, {
      id: runId(spec),
      epochs: run.epochs,
      seconds: stopwatch.read(),
      untrained: run.untrained,
      state: await device.download(state),
      chains,
    });
    await appendEpoch(dir, record);
    report({ event: "epoch", record });
  }
  return state;
}

/** The scorer for the bounds among the scores, for states shaped as `state`; undefined if there are none. */
async function compileBounds(state: DeviceState, run: Run): Promise<BoundScorer | undefined> {
  const bounds = run.metrics.filter(isBound);
  const { likelihood } = run.model;
  if (bounds.length === 0 || likelihood === undefined) return undefined;
  const images = await run.dataset.load("test");
  const key = streamKey(run.spec, "bound");
  return await compileBoundScorer(run.device, { ...run, likelihood, key, state, bounds, images });
}

/** Writes test images beside their reconstructions into the run's folder, if the model has latents. Consumes `state`. */
async function showReconstructions(
  state: DeviceState,
  run: Run,
): Promise<Partial<Reconstructions> & Pick<Reconstructions, "state">> {
  const { spec, model: { latents }, device, stopwatch } = run;
  if (latents === undefined) return { state };
  const images = await run.dataset.load("test");
  stopwatch.switchTo("score");
  const key = streamKey(spec, "reconstruct");
  const shown = await reconstruct(device, { latents, key, state, images });
  await writeSampleGrid(`${run.dir}/reconstructions.png`, shown.pairs);
  stopwatch.switchTo("other");
  if (!Number.isFinite(shown.squaredError)) {
    throw new NotFiniteError("reconstructions", shown.squaredError);
  }
  return shown;
}

/** How freely the method's amortized chains move; undefined if it has none. Consumes `state`. */
async function diagnose(state: DeviceState, run: Run): Promise<Diagnostics | undefined> {
  const { spec, model: { amortized }, stopwatch } = run;
  if (amortized === undefined) return undefined;
  run.report({ event: "phase", phase: "diagnose" });
  stopwatch.switchTo("score");
  const diagnostics = await measureAmortization(state, {
    device: run.device,
    amortized,
    images: run.images,
    trainCount: run.problem.trainCount,
    batchSize: spec.batchSize,
    epochs: spec.epochs,
    orderKey: orderKey(spec.seed, spec.dataset),
    key: streamKey(spec, "amortization"),
  });
  stopwatch.switchTo("other");
  return diagnostics;
}

/** The checkpoint of run `id` in `dir`; a broken one is moved aside, and training starts anew. */
async function loadOwnCheckpoint(dir: string, id: string): Promise<Checkpoint | undefined> {
  const path = `${dir}/${CHECKPOINT_FILE}`;
  try {
    const checkpoint = await loadCheckpoint(path);
    if (checkpoint === undefined || checkpoint.id === id) return checkpoint;
    throw new SyntaxError(`It belongs to run ${checkpoint.id}`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    await Deno.rename(path, `${path}.broken`);
    console.warn(`Moved ${path} to ${path}.broken, training starts anew: ${error.message}`);
    return undefined;
  }
}

async function rewriteEpochs(dir: string, epochs: readonly EpochRecord[]): Promise<void> {
  await replaceFile(`${dir}/epochs.jsonl`, epochs.map((e) => `${JSON.stringify(e)}\n`).join(""));
}

async function appendEpoch(dir: string, record: EpochRecord): Promise<void> {
  await Deno.writeTextFile(`${dir}/epochs.jsonl`, `${JSON.stringify(record)}\n`, { append: true });
}
