/**
 * A method on a small problem, as the conformance tests need it: its first state, a few steps of training, and its model in eager
 * mode.
 *
 * @module
 */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { toArrays, toTensors } from "../core/host_arrays.ts";
import { createNoise, draws, foldIn, keyOf } from "../core/noise.ts";
import { flatten, unflatten } from "../core/tree.ts";
import type {
  Batch,
  Conditional,
  Device,
  HostArray,
  HostArrays,
  Hyperparams,
  Method,
  Model,
  Problem,
  State,
} from "../core/types.ts";
import { openDevice } from "../engine/device.ts";
import { chainInputs, chainsOf, stepFunction, stepInputs, withPrefix } from "../run/train.ts";

/** A method with fixed hyperparameters on a fixed problem. */
export interface Subject {
  readonly method: Method;
  readonly hyper: Hyperparams;
  readonly problem: Problem;
}

/** A minibatch of the first `count` rows. */
export function firstBatch(problem: Problem, count: number, chains: State): Batch {
  return {
    images: imagesOf(problem, count),
    rows: tf.range(0, count, 1, "int32"),
    step: tf.scalar(0, "int32"),
    chains: firstRows(chains, count),
  };
}

/** The label of each of `rows`: the classes take turns. */
function labelsOf(
  rows: Int32Array,
  { classCount }: Pick<Conditional, "classCount">,
): HostArray {
  return { shape: [rows.length], dtype: "int32", data: rows.map((row) => row % classCount) };
}

/** State and persistent chains of all rows, on the host. */
export interface Snapshot {
  readonly state: HostArrays;
  readonly chains: HostArrays;
}

export function initial({ method, hyper, problem }: Subject, seed: number): Snapshot {
  const model = method.build(problem, hyper);
  let state: HostArrays = {};
  tf.tidy(() => {
    const noise = createNoise(foldIn(keyOf(seed), "init"), tf.scalar(0, "int32"));
    state = toArrays(model.init(noise));
  });
  const chains = Object.entries(model.chains ?? {}).map(([name, shape]) => {
    const count = problem.trainCount * shape.reduce((a, b) => a * b, 1);
    const key = foldIn(foldIn(keyOf(seed), "chains"), name);
    const data = draws(key, { counter: 0, count, kind: "normal" });
    return [name, { shape: [problem.trainCount, ...shape], dtype: "float32", data }] as const;
  });
  return { state, chains: Object.fromEntries(chains) };
}

/** Trains over the images in order. Resolves to the final state and chains, and the metrics of the last step. */
export async function train(
  subject: Subject,
  { seed = 0, steps: [first, last] = [0, 3], from, seen, device = "cpu" }: {
    readonly seed?: number;
    /** First and last (exclusive) step. */
    readonly steps?: readonly [number, number];
    readonly from?: Snapshot;
    /** The seen pixels of every batch; no mask if absent. */
    readonly seen?: HostArray;
    readonly device?: "cpu" | "tfjs-cpu";
  } = {},
): Promise<Snapshot & { readonly metrics: Readonly<Record<string, number>> }> {
  const { method, hyper, problem } = subject;
  const { batchSize, trainCount, image } = problem;
  await tf.setBackend("cpu");
  const start = from ?? initial(subject, seed);
  const chains = structuredClone(start.chains);
  const model = method.build(problem, hyper);
  await using opened: Device = await openDevice(device, { threads: 1 });
  await using program = await opened.compile(stepFunction(model, foldIn(keyOf(seed), "step")), {
    state: start.state,
    inputs: stepInputs(model, { image, batchSize, isPartial: seen !== undefined }),
  });
  let state = await opened.upload(start.state);
  let metrics: Record<string, number> = {};
  const images = pixelsOf(problem);
  for (let step = first; step < last; step++) {
    const rows = Int32Array.from(
      { length: batchSize },
      (_, i) => (step * batchSize + i) % trainCount,
    );
    const result = await program.run(state, {
      images: takeRows(images, rows),
      rows: { shape: [batchSize], dtype: "int32", data: rows },
      step: { shape: [], dtype: "int32", data: Int32Array.of(step) },
      ...model.conditional && { labels: labelsOf(rows, model.conditional) },
      ...seen && { seen },
      ...withPrefix(mapArrays(chains, (array) => takeRows(array, rows))),
    });
    state = result.state;
    const moved = chainsOf(result.outputs);
    assert.deepEqual(Object.keys(moved).sort(), Object.keys(chains).sort(), "chains of the step");
    for (const [name, { data }] of Object.entries(moved)) {
      const width = data.length / batchSize;
      rows.forEach((row, i) =>
        chains[name].data.set(data.subarray(i * width, (i + 1) * width) as never, row * width)
      );
    }
    const names = Object.keys(chainInputs(model.chains, batchSize));
    metrics = Object.fromEntries(
      Object.entries(result.outputs).filter(([name]) => !names.includes(name))
        .map(([name, { data }]) => [name, data[0]]),
    );
  }
  return { state: await opened.download(state), chains, metrics };
}

/** Calls `use` with the model, its initial state and its chains, in eager mode. */
export async function withState(
  subject: Subject,
  use: (model: Model, state: ReturnType<typeof unflatten>, chains: State) => void,
): Promise<void> {
  await tf.setBackend("cpu");
  const { state, chains } = initial(subject, 0);
  const model = subject.method.build(subject.problem, subject.hyper);
  tf.tidy(() => use(model, unflatten(toTensors(state)), toTensors(chains)));
}

export function noiseOf(name: string, index: number) {
  return createNoise(keyOf(0), tf.scalar(0, "int32")).split(name, index);
}

/** All training images: uniform noise times a ramp over the pixels. */
function pixelsOf({ image, trainCount }: Problem): HostArray {
  const { height, width, channels } = image;
  const size = height * width * channels;
  const key = foldIn(keyOf(0), "images");
  const uniform = draws(key, { counter: 0, count: trainCount * size, kind: "uniform" });
  const data = uniform.map((value, i) => value * (i % size + 1) / size);
  return { shape: [trainCount, height, width, channels], dtype: "float32", data };
}

export function imagesOf(problem: Problem, count: number): tf.Tensor4D {
  const rows = Int32Array.from({ length: count }, (_, i) => i % problem.trainCount);
  const { data, shape } = takeRows(pixelsOf(problem), rows);
  return tf.tensor4d(data, shape as [number, number, number, number]);
}

function takeRows(array: HostArray, rows: Int32Array): HostArray {
  const width = array.data.length / array.shape[0];
  const data = new Float32Array(rows.length * width);
  rows.forEach((row, i) =>
    data.set(array.data.subarray(row * width, (row + 1) * width), i * width)
  );
  return { ...array, shape: [rows.length, ...array.shape.slice(1)], data };
}

function mapArrays(arrays: HostArrays, f: (array: HostArray) => HostArray): HostArrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, f(array)]));
}

export function firstRows(chains: State, count: number): State {
  return flatten(
    Object.fromEntries(
      Object.entries(chains).map(([name, chain]) => [
        name,
        tf.slice(chain, 0, Math.min(count, chain.shape[0])),
      ]),
    ),
  );
}

export function assertUnitRange(images: tf.Tensor): void {
  assert.ok(
    images.dataSync().every((value) => value >= 0 && value <= 1),
    "a pixel is outside [0, 1]",
  );
}
