import { scoreAlternatives, scoresByName } from "./alternatives.ts";
import { measureAmortization } from "./amortization.ts";
import { findAnomalies } from "./anomaly.ts";
import { fillHidden } from "./fill_hidden.ts";
import { inpaint, type Inpainted } from "./inpaint.ts";
import { interpolateCodes } from "./interpolate.ts";
import { checkMask, firstImages } from "../core/image_set.ts";
import { type BoundScorer, compileBoundScorer } from "./bound_scorer.ts";
import type { Chains } from "./batches.ts";
import { calibrate } from "./calibration.ts";
import { checkModel } from "./check_model.ts";
import { measureChains } from "./chain_watch.ts";
import { orderKey } from "../core/row_order.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { checkArrays, loadSoundCheckpoint } from "./checkpoint_files.ts";
import { foldIn, type Key } from "../core/noise.ts";
import { compileDecodedEncodings } from "./decoded.ts";
import { changedParts, listParts, resumedCode, runCode } from "../experiment/run_code.ts";
import { initialise, streamKey } from "./initial_state.ts";
import { BOUNDS, isBound, isMetric } from "../metrics/likelihood_bounds.ts";
import { explainDivergence } from "./divergence.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { sampleClasses } from "./class_grid.ts";
import { writeSampleGrid } from "./sample_grid.ts";
import { reconstruct, reconstructByFit, type Reconstructions } from "./reconstruct.ts";
import { compileGenerator } from "./generator.ts";
import { createScorer, type Scorer, type Scores } from "./scorer.ts";
import { checkPrior } from "./prior_check.ts";
import { problemOf, runId } from "../experiment/spec.ts";
import { startStopwatch } from "../core/stopwatch.ts";
import {
  chainSetting,
  type Run,
  type RunContext,
  stepsAfter,
  type Untrained,
} from "./run_context.ts";
import { rewriteEpochs, trainRun } from "./train_run.ts";
import type {
  Dataset,
  Device,
  DeviceState,
  HostArrays,
  ImageSet,
  Likelihood,
  Model,
} from "../core/types.ts";
import type {
  Anomaly,
  Calibration,
  Diagnostics,
  EpochRecord,
  Estimate,
  Machine,
  Provenance,
  RunCode,
  RunRecord,
  RunSpec,
} from "../core/records.ts";

/**
 * Trains, samples and scores `spec`. Resumes from the checkpoint in the run's folder if there is one, and gives the same bits
 * as an uninterrupted run. Resolves to a completed or diverged record; throws on any other failure.
 */
export async function executeRun(spec: RunSpec, context: RunContext): Promise<RunRecord> {
  const startedAt = new Date().toISOString();
  const since = performance.now();
  const { dir, report } = context;
  const id = runId(spec);
  report({ event: "phase", phase: "load" });
  const wholeImages = await loadTraining(context.dataset);
  const images = fillHidden(wholeImages);
  const problem = problemOf(spec, context.dataset);
  const model = context.method.build(problem, spec.hyper);
  const initial = await initialise(spec, { model, trainCount: problem.trainCount });
  const current = await currentCode(context, images);
  const saved = await loadSoundCheckpoint(dir, {
    check(checkpoint) {
      if (checkpoint.id !== id) {
        throw new SyntaxError(`it belongs to run ${checkpoint.id}, not ${id}`);
      }
      refuseChangedCode(checkpoint, { ...context, current });
      checkArrays(checkpoint, initial);
    },
    report: (text) => report({ event: "warning", text }),
  });
  const code = current && resumedCode(current, saved?.code);
  const stopwatch = startStopwatch({ before: saved?.seconds, since });
  const epochs: EpochRecord[] = [...saved?.epochs ?? []];
  await rewriteEpochs(dir, epochs);
  const provenance = await context.provenance(images.sha256);
  const segments = [...saved?.segments ?? [], {
    epoch: epochs.length,
    step: saved?.partial?.steps ?? 0,
    startedAt,
    machine: machineOf(provenance),
  }];
  const record = {
    schema: 1,
    id,
    experiment: context.experiment,
    spec,
    startedAt,
    provenance: { ...provenance, ...code && { code } },
    segments,
    epochs,
  } as const;
  const run: Run = {
    ...context,
    spec,
    problem,
    model,
    images,
    wholeImages,
    saved,
    start: saved ?? initial,
    code,
    segments,
    stopwatch,
    epochs,
  };
  try {
    const results = await trainAndScore(run);
    return { ...record, seconds: stopwatch.read(), status: "completed", ...results };
  } catch (error) {
    if (!(error instanceof NotFiniteError)) throw error;
    stopwatch.switchTo("other");
    const divergence = error.at && await explainDivergence(error.at, run);
    return {
      ...record,
      seconds: stopwatch.read(),
      status: "diverged",
      epoch: Math.min(epochs.length, spec.epochs - 1),
      metric: error.what,
      ...divergence && { divergence },
      ...error.limit !== undefined && { limit: error.limit },
    };
  }
}

/** The training split of `dataset`. Throws RangeError if it should have hidden pixels and has none, or a mask of another shape. */
async function loadTraining(dataset: Dataset): Promise<ImageSet> {
  const set = await dataset.load("train");
  if (set.seen) checkMask(set.seen, set);
  else if (dataset.hidden === "train") {
    throw new RangeError(`The training images of ${dataset.name} have no mask`);
  }
  return set;
}

function machineOf({ host, device, cpu, cores, jobs, os }: Provenance): Machine {
  return { ...host !== undefined && { host }, device, cpu, cores, jobs, os };
}

/** The code that the run executes; undefined if unknown. */
async function currentCode(
  { modules, dataset }: RunContext,
  images: ImageSet,
): Promise<RunCode | undefined> {
  if (modules === undefined) return undefined;
  const test = await dataset.load("test");
  return runCode(await modules(), { train: images.sha256, test: test.sha256 });
}

/** Throws if `saved` is of other code than `current`, unless that is accepted. */
function refuseChangedCode(
  saved: Checkpoint,
  { current, dir, acceptCode }: RunContext & { readonly current: RunCode | undefined },
): void {
  if (current === undefined || acceptCode === true) return;
  const changed = changedParts(saved.code, current);
  if (changed.length === 0) return;
  throw new Error(
    `The checkpoint in ${dir} was trained before ${listParts(changed)} changed: ` +
      `remove it to start again, or resume with --accept-code`,
  );
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
  | "fitError"
  | "anomaly"
  | "inpainting"
  | "diagnostics"
  | "priorCheck"
  | "chainHealth"
  | "calibration"
>;

async function trainAndScore(run: Run): Promise<Results> {
  const { spec, model, dataset, device, saved, start, report } = run;
  const { trainCount } = run.problem;
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
    images: run.wholeImages,
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
    const position = { epoch: run.epochs.length, partial: saved?.partial, state, chains };
    state = await trainRun(position, {
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
  const interpolated = await writeInterpolations(reconstructions.state, run);
  const found = await detectAnomalies(interpolated, run);
  const inpainted = await fillIn(found.state, run);
  const calibrated = await calibrateInference(inpainted.state, run);
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
    ...reconstructions.fitError !== undefined && { fitError: reconstructions.fitError },
    ...found.anomaly && { anomaly: found.anomaly },
    ...inpainted.inpainting && { inpainting: inpainted.inpainting },
    ...diagnostics && { diagnostics },
    ...priorCheck && { priorCheck },
    ...measured && { chainHealth: measured.health },
    ...calibrated.calibration && { calibration: calibrated.calibration },
  };
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

/** Reconstructions of a model that makes some. */
type Reconstructed = Partial<Reconstructions> & Pick<Reconstructions, "state">;

/**
 * Reconstructs test images and writes reconstructions.png, if the model has latents or fits its samples to images, and of
 * latents interpolations.png. Consumes `state`.
 */
async function writeReconstructions(
  state: DeviceState,
  run: Run,
): Promise<Reconstructed> {
  const { spec, model: { latents, restoration }, device, stopwatch } = run;
  if (latents === undefined && restoration === undefined) return { state };
  stopwatch.switchTo("score");
  const images = await run.dataset.load("test");
  const key = streamKey(spec, "reconstruct");
  const shown = await reconstructAs(state, { latents, restoration, device, key, images });
  if (shown.pairs) await writeSampleGrid(`${run.dir}/reconstructions.png`, shown.pairs);
  if (shown.interpolations && shown.interpolations.count > 0) {
    await writeSampleGrid(`${run.dir}/interpolations.png`, shown.interpolations);
  }
  stopwatch.switchTo("other");
  for (const error of [shown.squaredError ?? 0, shown.fitError ?? 0]) {
    if (!Number.isFinite(error)) throw new NotFiniteError("reconstructions", error);
  }
  return shown;
}

/** Reconstructs by latents, or else by restoration, if the model has either. */
async function reconstructAs(
  state: DeviceState,
  { latents, restoration, ...setting }: Pick<Model, "latents" | "restoration"> & {
    readonly device: Device;
    readonly key: Key;
    readonly images: ImageSet;
  },
): Promise<Reconstructed> {
  if (latents) return await reconstruct(setting.device, { ...setting, latents, state });
  if (restoration) return await reconstructByFit(state, { ...setting, restoration });
  return { state };
}

/** Writes interpolations.png between the codes of test images, if the model has a bijection. Consumes `state`. */
async function writeInterpolations(
  state: DeviceState,
  { model: { bijection }, device, dataset, dir, stopwatch }: Run,
): Promise<DeviceState> {
  if (bijection === undefined) return state;
  const images = await dataset.load("test");
  if (images.count < 2) return state;
  stopwatch.switchTo("score");
  const shown = await interpolateCodes(state, { device, bijection, images });
  await writeSampleGrid(`${dir}/interpolations.png`, shown.interpolations);
  stopwatch.switchTo("other");
  return shown.state;
}

/** Finds the held-out class among the test images, if the data set has one. Consumes `state`. */
async function detectAnomalies(
  state: DeviceState,
  run: Run,
): Promise<{ readonly state: DeviceState; readonly anomaly?: Anomaly }> {
  const { spec, dataset, stopwatch } = run;
  if (dataset.anomaly === undefined) return { state };
  const images = await dataset.load("test");
  stopwatch.switchTo("score");
  const key = streamKey(spec, "anomaly");
  const found = await findAnomalies(state, { ...run, key, images, anomaly: dataset.anomaly });
  stopwatch.switchTo("other");
  return found;
}

/** Fills in hidden pixels and writes inpaintings.png, if the data set has any and the model can. Consumes `state`. */
async function fillIn(state: DeviceState, run: Run): Promise<Omit<Inpainted, "shown">> {
  const { spec, dataset, wholeImages, problem: { trainCount }, stopwatch } = run;
  if (dataset.hidden === undefined) return { state };
  const train = firstImages(wholeImages, trainCount);
  const images = dataset.hidden === "train" ? train : await dataset.load("test");
  stopwatch.switchTo("score");
  const key = streamKey(spec, "inpaint");
  const { shown, ...inpainted } = await inpaint(state, { ...run, key, images, train });
  if (shown) await writeSampleGrid(`${run.dir}/inpaintings.png`, shown);
  stopwatch.switchTo("other");
  return inpainted;
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
