import type { Chains } from "./batches.ts";
import { orderKey } from "../core/row_order.ts";
import type { Pace } from "../experiment/estimate.ts";
import { initialise, streamKey } from "./initial_state.ts";
import { compileGenerator } from "./generator.ts";
import { problemOf } from "../experiment/spec.ts";
import { median } from "../statistics/summary.ts";
import { startStopwatch } from "../core/stopwatch.ts";
import { stepFunction, stepInputs, train } from "./train.ts";
import type { Dataset, Device, Method } from "../core/types.ts";
import type { RunSpec } from "../core/records.ts";

/** Timed steps, after one warm-up. */
const TIMED_STEPS = 3;
/** Images sampled to measure the time per image. */
const SAMPLED = 100;

/**
 * Measures the pace of `spec` on `device` by its first steps and samples. `restSeconds` is the time to start and compile plus
 * that of all samples of the run, at the pace of the method's own; scores are not included.
 */
export async function measurePace(
  spec: RunSpec,
  { method, dataset, device }: {
    readonly method: Method;
    readonly dataset: Dataset;
    readonly device: Device;
  },
): Promise<Pace> {
  const start = performance.now();
  const { batchSize } = spec;
  const problem = problemOf(spec, dataset);
  const images = await dataset.load("train");
  const model = method.build(problem, spec.hyper);
  const initial = await initialise(spec, { model, trainCount: problem.trainCount });
  const chains = initial.chains as Chains;
  let state = await device.upload(initial.state);
  await using program = await device.compile(stepFunction(model, streamKey(spec, "step")), {
    state: state.specs,
    inputs: stepInputs(model, {
      image: dataset.image,
      batchSize,
      isPartial: images.seen !== undefined,
    }),
  });
  await using generator = await compileGenerator(device, {
    model,
    key: streamKey(spec, "sample"),
    state,
    count: Math.min(SAMPLED, spec.sampleCount),
    image: dataset.image,
  });
  const startSeconds = (performance.now() - start) / 1000;

  const times: number[] = [];
  const epoch = train({ epoch: 0, state, chains }, {
    program,
    images,
    trainCount: Math.min(problem.trainCount, (1 + TIMED_STEPS) * batchSize),
    batchSize,
    epochs: 1,
    orderKey: orderKey(spec.seed, spec.dataset),
    stopwatch: startStopwatch(),
    onStep: () => times.push(performance.now() / 1000),
  });
  let secondsPerStep = 0;
  for await (const { ended, position } of epoch) {
    state = position.state;
    const between = times.slice(1).map((time, i) => time - times[i]);
    secondsPerStep = between.length > 0 ? median(between) : ended?.record.seconds ?? 0;
  }
  const before = performance.now();
  await generator.draw(state, { chains, use: () => {} });
  const secondsPerSample = (performance.now() - before) / 1000 / generator.count;
  const ways = 1 + (model.alternatives?.length ?? 0);
  const between = spec.scoreEvery === undefined
    ? 0
    : Math.floor((spec.epochs - 1) / spec.scoreEvery);
  const draws = ways * (spec.scoreUntrained ? 2 : 1) + between +
    (model.latents === undefined ? 0 : 1);
  const sampled = spec.sampleCount * draws; // the last are decoded encodings
  return { secondsPerStep, restSeconds: startSeconds + sampled * secondsPerSample };
}
