import { checkMask } from "../core/image_set.ts";
import { foldIn } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import type {
  EpochRecord,
  Machine,
  Provenance,
  RunCode,
  RunRecord,
  RunSpec,
} from "../core/records.ts";
import { orderKey } from "../core/row_order.ts";
import { startStopwatch } from "../core/stopwatch.ts";
import type { Dataset, DeviceState, ImageSet } from "../core/types.ts";
import { changedParts, listParts, resumedCode, runCode } from "../experiment/run_code.ts";
import { problemOf, runId } from "../experiment/spec.ts";
import { isBound, isMetric } from "../metrics/likelihood_bounds.ts";
import { scoreAlternatives, scoresByName } from "./alternatives.ts";
import type { Chains } from "./batches.ts";
import { type BoundScorer, compileBoundScorer } from "./bound_scorer.ts";
import { checkModel } from "./check_model.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { checkArrays, loadSoundCheckpoint } from "./checkpoint_files.ts";
import { explainDivergence } from "./divergence.ts";
import { fillHidden } from "./fill_hidden.ts";
import { compileGenerator } from "./generator.ts";
import { initialise, streamKey } from "./initial_state.ts";
import { type Measures, measureTrained } from "./measures.ts";
import type { Run, RunContext, Untrained } from "./run_context.ts";
import { createScorer } from "./scorer.ts";
import { rewriteEpochs, trainRun } from "./train_run.ts";

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
type Results = Measures & Pick<RunRecord & { status: "completed" }, "untrained">;

async function trainAndScore(run: Run): Promise<Results> {
  const { spec, model, dataset, device, saved, start, report } = run;
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
  const sampling = {
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
    const alternatives = await scoreAlternatives(start.state, { ...sampling, dir: undefined });
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
  const measures = await measureTrained(state, {
    run,
    generator,
    bounds,
    sampling,
    untrainedAlternatives,
  });
  return { ...measures, untrained };
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
