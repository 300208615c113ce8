/**
 * The measures of a trained model: scores of its samples, and of each capability that it has.
 *
 * @module
 */
import { firstImages } from "../core/image_set.ts";
import type { Key } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import type { Anomaly, Calibration, Diagnostics, Estimate, RunRecord } from "../core/records.ts";
import { orderKey } from "../core/row_order.ts";
import type {
  Device,
  DeviceState,
  HostArrays,
  ImageSet,
  Likelihood,
  Model,
} from "../core/types.ts";
import { BOUNDS } from "../metrics/likelihood_bounds.ts";
import { type AlternativesSetting, scoreAlternatives } from "./alternatives.ts";
import { measureAmortization } from "./amortization.ts";
import { findAnomalies } from "./anomaly.ts";
import { type BoundScorer, compileBoundScorer } from "./bound_scorer.ts";
import { calibrate } from "./calibration.ts";
import { measureChains } from "./chain_watch.ts";
import { sampleClasses } from "./class_grid.ts";
import { compileDecodedEncodings } from "./decoded.ts";
import type { Generator } from "./generator.ts";
import { streamKey } from "./initial_state.ts";
import { inpaint, type Inpainted } from "./inpaint.ts";
import { interpolateCodes } from "./interpolate.ts";
import { checkPrior } from "./prior_check.ts";
import { reconstruct, reconstructByFit, type Reconstructions } from "./reconstruct.ts";
import { chainSetting, type Run, stepsAfter, type Untrained } from "./run_context.ts";
import { writeSampleGrid } from "./sample_grid.ts";
import type { Scorer, Scores } from "./scorer.ts";

/** The part of a record that measures the trained model. */
export type Measures = Pick<
  RunRecord & { status: "completed" },
  | "scores"
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

/** Tools that measure a run's model before training too, and what they found then. */
interface Tools {
  readonly run: Run;
  readonly generator: Generator;
  readonly bounds: BoundScorer | undefined;
  readonly sampling: AlternativesSetting;
  readonly untrainedAlternatives: Untrained["untrainedAlternatives"];
}

/** Scores samples, and whatever else the model can, and writes its pictures. Consumes `state`. */
export async function measureTrained(
  state: DeviceState,
  { run, generator, bounds, sampling, untrainedAlternatives }: Tools,
): Promise<Measures> {
  const { spec, model, device, problem: { trainCount } } = run;
  const { chains, score } = sampling;
  const { scores, families, images, state: scored } = await score({ generator, state, chains });
  await writeSampleGrid(`${run.dir}/samples.png`, images);
  const trained = await device.download(scored);
  await writeClasses(trained, run);
  const alternatives = await scoreAlternatives(trained, {
    ...sampling,
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
  if (model.langevinChains ?? model.amortized) run.report({ event: "phase", phase: "diagnose" });
  const measured = await measureChains(chainSetting(reached, run), stepsAfter(spec.epochs, run));
  const diagnostics = await diagnose(measured?.state ?? reached.state, run);
  return {
    scores: { ...scores, ...bounded?.scores },
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
