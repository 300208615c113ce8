import { scoreAlternatives, scoresByName } from "./alternatives.ts";
import { measureAmortization } from "./amortization.ts";
import { type BoundScorer, compileBoundScorer } from "./bound_scorer.ts";
import { type Chains } from "./batches.ts";
import { calibrate } from "./calibration.ts";
import { checkModel } from "./check_model.ts";
import { type ChainSetting, compileChainWatch, measureChains } from "./chain_watch.ts";
import { orderKey, stepsPerEpoch } from "../core/row_order.ts";
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { foldIn } from "../core/noise.ts";
import type { RunEvent } from "./events.ts";
import { compileDecodedEncodings } from "./decoded.ts";
import { changedParts, listParts, resumedCode, runCode } from "../experiment/run_code.ts";
import type { ModuleHashes } from "../core/module_graph.ts";
import { replaceFile } from "../core/files.ts";
import { initialise, streamKey } from "./initial_state.ts";
import { BOUNDS, isBound, isMetric } from "../metrics/likelihood_bounds.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { sampleClasses } from "./class_grid.ts";
import { writeSampleGrid } from "./sample_grid.ts";
import { reconstruct, type Reconstructions } from "./reconstruct.ts";
import { compileGenerator } from "./generator.ts";
import { createScorer, type Scorer, type Scores } from "./scorer.ts";
import { checkPrior } from "./prior_check.ts";
import { problemOf, runId } from "../experiment/spec.ts";
import { startStopwatch, type Stopwatch } from "../core/stopwatch.ts";
import { stepFunction, stepInputs, train, type TrainPosition } from "./train.ts";
import type {
  Dataset,
  Device,
  DeviceState,
  HostArrays,
  ImageSet,
  Likelihood,
  Method,
  Model,
  Problem,
  Score,
} from "../core/types.ts";
import type {
  Calibration,
  Diagnostics,
  EpochRecord,
  Estimate,
  Provenance,
  RunCode,
  RunRecord,
  RunSpec,
} from "../core/records.ts";

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
  /** Called with each event as it happens. */
  report(event: RunEvent): void;
}

/** The file of a run's checkpoint in its folder. */
export const CHECKPOINT_FILE = "checkpoint.safetensors";

/**
 * Trains, samples and scores `spec`. Resumes from the checkpoint in the run's folder if there is one, and gives the same bits
 * as an uninterrupted run. Resolves to a completed or diverged record; throws on any other failure.
 */
export async function executeRun(spec: RunSpec, context: RunContext): Promise<RunRecord> {
  const startedAt = new Date().toISOString();
  const { dir, report } = context;
  const id = runId(spec);
  report({ event: "phase", phase: "load" });
  const saved = await loadOwnCheckpoint(dir, id);
  const stopwatch = startStopwatch({ before: saved?.seconds });
  const images = await context.dataset.load("train");
  const code = await codeOf(context, { images, saved });
  const epochs: EpochRecord[] = [...saved?.epochs ?? []];
  await rewriteEpochs(dir, epochs);
  const record = {
    schema: 1,
    id,
    experiment: context.experiment,
    spec,
    startedAt,
    provenance: { ...await context.provenance(images.sha256), ...code && { code } },
    epochs,
  } as const;
  const problem = problemOf(spec, context.dataset);
  const model = context.method.build(problem, spec.hyper);
  try {
    const run = { ...context, spec, problem, model, images, saved, code, stopwatch, epochs };
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
      ...error.limit !== undefined && { limit: error.limit },
    };
  }
}

/** The code that the run executes; undefined if unknown. Throws if its checkpoint is of other code, unless that is accepted. */
async function codeOf(
  { modules, dataset, dir, acceptCode }: RunContext,
  { images, saved }: { readonly images: ImageSet; readonly saved: Checkpoint | undefined },
): Promise<RunCode | undefined> {
  if (modules === undefined) return undefined;
  const test = await dataset.load("test");
  const code = runCode(await modules(), { train: images.sha256, test: test.sha256 });
  const changed = changedParts(saved?.code, code);
  if (changed.length > 0 && acceptCode !== true) {
    throw new Error(
      `The checkpoint in ${dir} was trained before ${listParts(changed)} changed: ` +
        `remove it to start again, or resume with --accept-code`,
    );
  }
  return resumedCode(code, saved?.code);
}

/** A run under way. */
interface Run extends RunContext {
  readonly spec: RunSpec;
  readonly problem: Problem;
  readonly model: Model;
  /** The training split. */
  readonly images: ImageSet;
  readonly saved: Checkpoint | undefined;
  /** The code that it executes; undefined if unknown. */
  readonly code: RunCode | undefined;
  readonly stopwatch: Stopwatch;
  /** Grows by one record per epoch. */
  readonly epochs: EpochRecord[];
}

/** Results of a completed run. */
type Results = Pick<
  RunRecord & { status: "completed" },
  | "scores"
  | "untrained"
  | "families"
  | "alternatives"
  | "decodedScores"
  | "bounds"
  | "reconstructionError"
  | "diagnostics"
  | "priorCheck"
  | "chainHealth"
  | "calibration"
>;

/** Scores of the initial state. */
type Untrained = Partial<Pick<Checkpoint, "untrained" | "untrainedAlternatives">>;

async function trainAndScore(run: Run): Promise<Results> {
  const { spec, model, dataset, device, saved, report } = run;
  const { trainCount } = run.problem;
  const start = saved ?? await initialise(spec, { model, trainCount });
  const chains = start.chains as Chains;
  let state = await device.upload(start.state);

  report({ event: "phase", phase: "compile" });
  if (saved === undefined) {
    const key = streamKey(spec, "sample");
    await checkModel(device, { ...start, model, key, chains, image: dataset.image });
  }
  await using generator = await compileGenerator(device, {
    model,
    key: streamKey(spec, "sample"),
    state,
    count: spec.sampleCount,
    image: dataset.image,
  });
  const score = createScorer({
    ...run,
    metrics: run.metrics.filter(isMetric),
    // The same real images for every method.
    real: { count: spec.sampleCount, key: foldIn(orderKey(spec.seed, spec.dataset), "real") },
  });
  const setting = {
    ...run,
    key: streamKey(spec, "sample"),
    count: spec.sampleCount,
    image: dataset.image,
    chains,
    score,
  };
  await using bounds = await compileBounds(state, run);
  let { untrained = {}, untrainedAlternatives }: Untrained = saved ?? {};
  if (saved === undefined && spec.scoreUntrained) {
    ({ state, scores: untrained } = await score({ generator, state, chains }));
    const alternatives = await scoreAlternatives(start.state, { ...setting, dir: undefined });
    untrainedAlternatives = alternatives && scoresByName(alternatives);
    const bounded = await bounds?.score(state);
    if (bounded) {
      state = bounded.state;
      untrained = { ...untrained, ...bounded.scores };
    }
  }
  if (run.epochs.length < spec.epochs) {
    state = await trainOn({ epoch: run.epochs.length, state, chains }, {
      ...run,
      untrained: { untrained, untrainedAlternatives },
      scoreOf: async (host) =>
        (await score({ generator, state: await device.upload(host), chains })).scores,
    });
  }
  const { scores, families, images, state: scored } = await score({ generator, state, chains });
  await writeSampleGrid(`${run.dir}/samples.png`, images);
  const trained = await device.download(scored);
  await writeClasses(trained, run);
  const alternatives = await scoreAlternatives(trained, {
    ...setting,
    untrained: untrainedAlternatives,
    bound: (logDensity, state) => boundDensity(logDensity, { state, run }),
  });
  const decodedScores = await scoreDecoded(trained, { run, score });
  const priorCheck = await checkPrior(trained, {
    ...run,
    key: streamKey(spec, "prior"),
    trainCount,
  });
  const bounded = await bounds?.score(scored);
  const reconstructions = await writeReconstructions(bounded?.state ?? scored, run);
  const calibrated = await calibrateInference(reconstructions.state, run);
  const reached = { state: calibrated.state, chains };
  if (model.langevinChains ?? model.amortized) report({ event: "phase", phase: "diagnose" });
  const measured = await measureChains(chainSetting(reached, run), stepsAfter(spec.epochs, run));
  const diagnostics = await diagnose(measured?.state ?? reached.state, run);
  return {
    scores: { ...scores, ...bounded?.scores },
    untrained,
    ...families && { families },
    ...alternatives && { alternatives },
    ...decodedScores && { decodedScores },
    ...bounded && { bounds: bounded.bases },
    ...reconstructions.squaredError !== undefined && {
      reconstructionError: reconstructions.squaredError,
    },
    ...diagnostics && { diagnostics },
    ...priorCheck && { priorCheck },
    ...measured && { chainHealth: measured.health },
    ...calibrated.calibration && { calibration: calibrated.calibration },
  };
}

/** Trains from `position` to the last epoch and saves a checkpoint after each epoch. */
async function trainOn(
  position: TrainPosition,
  run: Run & {
    /** Saved in every checkpoint. */
    readonly untrained: Untrained;
    /** Scores samples of a state, with the persistent chains as they are. */
    readonly scoreOf: (state: HostArrays) => Promise<Scores>;
  },
): Promise<DeviceState> {
  const { spec, model, dataset, device, dir, stopwatch, report } = run;
  await using program = await device.compile(
    stepFunction(model, streamKey(spec, "step")),
    {
      state: position.state.specs,
      inputs: stepInputs(model, { image: dataset.image, batchSize: spec.batchSize }),
    },
  );
  await using watch = spec.epochs - position.epoch > 1
    ? await compileChainWatch(
      chainSetting(position, run),
      (text) => report({ event: "warning", text }),
    )
    : undefined;
  report({ event: "phase", phase: "train" });
  const epochs = train(position, {
    program,
    images: run.images,
    trainCount: run.problem.trainCount,
    batchSize: spec.batchSize,
    epochs: spec.epochs,
    orderKey: orderKey(spec.seed, spec.dataset),
    stopwatch,
    model,
    onStep: (step, metrics) => report({ event: "step", epoch: run.epochs.length, step, metrics }),
  });
  let { state } = position;
  for await (const { record: trained, position: { state: reached, chains } } of epochs) {
    state = reached;
    const host = await device.download(state);
    const reachedEpochs = trained.epoch + 1;
    // The chains are measured on more images after the last epoch.
    const chainHealth = reachedEpochs < spec.epochs
      ? await watch?.check(host, stepsAfter(reachedEpochs, run))
      : undefined;
    const scores = isScoredAfter(reachedEpochs, spec) ? await run.scoreOf(host) : undefined;
    if (scores !== undefined) report({ event: "phase", phase: "train" });
    const record = { ...trained, ...scores && { scores }, ...chainHealth && { chainHealth } };
    run.epochs.push(record);
    await saveCheckpoint(`${dir}/${CHECKPOINT_FILE}`, {
      id: runId(spec),
      ...run.code && { code: run.code },
      epochs: run.epochs,
      seconds: stopwatch.read(),
      untrained: {},
      ...run.untrained,
      state: host,
      chains,
    });
    await appendEpoch(dir, record);
    report({ event: "epoch", record });
  }
  return state;
}

/** Whether samples are scored after `reached` epochs; after the last one, every run is. */
function isScoredAfter(reached: number, { epochs, scoreEvery }: RunSpec): boolean {
  return scoreEvery !== undefined && reached < epochs && reached % scoreEvery === 0;
}

/** Training steps in the first `epochs` epochs. */
function stepsAfter(epochs: number, { problem, spec }: Run): number {
  return epochs * stepsPerEpoch(problem.trainCount, spec.batchSize);
}

function chainSetting<R extends Run>(
  { state, chains }: Pick<TrainPosition, "state" | "chains">,
  run: R,
): R & ChainSetting {
  return { ...run, key: streamKey(run.spec, "health"), state, chains };
}

/** Compiles the scorer of likelihood bounds for states with the shapes of `state`; undefined if there is nothing to bound. */
async function compileBounds(state: DeviceState, run: Run): Promise<BoundScorer | undefined> {
  const bounds = run.metrics.filter(isBound);
  const { likelihood } = run.model;
  if (bounds.length === 0 || likelihood === undefined) return undefined;
  const images = await run.dataset.load("test");
  const key = streamKey(run.spec, "bound");
  return await compileBoundScorer(run.device, { ...run, likelihood, key, state, bounds, images });
}

/** The mean of -log p(x) of the test images in nats per dimension, at one draw of noise an image. */
async function boundDensity(
  logWeight: Likelihood["logWeight"],
  { state, run }: { readonly state: DeviceState; readonly run: Run },
): Promise<Estimate> {
  await using scorer = await compileBoundScorer(run.device, {
    ...run,
    likelihood: { logWeight },
    key: streamKey(run.spec, "bound"),
    state,
    bounds: [BOUNDS.nelbo],
    images: await run.dataset.load("test"),
  });
  const { scores, bases } = await scorer.score(state);
  return { mean: scores.nelbo, standardError: bases.nelbo.standardError };
}

/** Scores of decoded encodings of training images; undefined if the model has no latents. */
async function scoreDecoded(
  trained: HostArrays,
  { run, score }: { readonly run: Run; readonly score: Scorer },
): Promise<Scores | undefined> {
  const { spec, model: { latents }, device, problem: { trainCount }, images } = run;
  if (latents === undefined) return undefined;
  const state = await device.upload(trained);
  const key = streamKey(spec, "decode");
  const count = spec.sampleCount;
  await using generator = await compileDecodedEncodings(device, {
    latents,
    key,
    state,
    images,
    trainCount,
    count,
  });
  return (await score({ generator, state, chains: {} })).scores;
}

/** Writes samples_classes.png, samples of a class in each row, if the model samples classes. */
async function writeClasses(
  trained: HostArrays,
  { spec, model: { conditional }, device, dataset, dir, stopwatch }: Run,
): Promise<void> {
  if (conditional === undefined) return;
  stopwatch.switchTo("sample");
  const key = streamKey(spec, "classes");
  const { image } = dataset;
  const samples = await sampleClasses(trained, { device, conditional, key, image });
  await writeSampleGrid(`${dir}/samples_classes.png`, samples);
  stopwatch.switchTo("other");
}

/** Reconstructs test images and writes reconstructions.png and interpolations.png, if the model has latents. Consumes `state`. */
async function writeReconstructions(
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
  if (shown.interpolations.count > 0) {
    await writeSampleGrid(`${run.dir}/interpolations.png`, shown.interpolations);
  }
  stopwatch.switchTo("other");
  if (!Number.isFinite(shown.squaredError)) {
    throw new NotFiniteError("reconstructions", shown.squaredError);
  }
  return shown;
}

/** Tests the model's inference on images that it simulates, if it can. Consumes `state`. */
async function calibrateInference(
  state: DeviceState,
  { spec, model: { latents, joint }, device, stopwatch, report }: Run,
): Promise<{ readonly state: DeviceState; readonly calibration?: Calibration }> {
  if (latents === undefined || joint === undefined) return { state };
  report({ event: "phase", phase: "calibrate" });
  stopwatch.switchTo("score");
  const key = streamKey(spec, "calibration");
  const result = await calibrate(state, { device, latents, joint, key });
  stopwatch.switchTo("other");
  return result;
}

/** Measures how freely the amortized chains move; undefined if the model has none. Consumes `state`. */
async function diagnose(state: DeviceState, run: Run): Promise<Diagnostics | undefined> {
  const { spec, model: { amortized }, stopwatch } = run;
  if (amortized === undefined) return undefined;
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

/** Loads the checkpoint of run `id` in `dir`. A broken one is moved aside, and training restarts from the first epoch. */
async function loadOwnCheckpoint(dir: string, id: string): Promise<Checkpoint | undefined> {
  const path = `${dir}/${CHECKPOINT_FILE}`;
  try {
    const checkpoint = await loadCheckpoint(path);
    if (checkpoint === undefined || checkpoint.id === id) return checkpoint;
    throw new SyntaxError(`It belongs to run ${checkpoint.id}, not ${id}`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    await Deno.rename(path, `${path}.broken`);
    console.warn(
      `Moved ${path} to ${path}.broken; training restarts from the first epoch: ${error.message}`,
    );
    return undefined;
  }
}

async function rewriteEpochs(dir: string, epochs: readonly EpochRecord[]): Promise<void> {
  await replaceFile(`${dir}/epochs.jsonl`, epochs.map((e) => `${JSON.stringify(e)}\n`).join(""));
}

async function appendEpoch(dir: string, record: EpochRecord): Promise<void> {
  await Deno.writeTextFile(`${dir}/epochs.jsonl`, `${JSON.stringify(record)}\n`, { append: true });
}
