/**
 * A tiny problem, and training steps on a device: for the tests of this folder.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createNoise, foldIn, keyOf, words } from "../../harness/core/noise.ts";
import { flatten, unflatten } from "../../harness/core/tree.ts";
import type {
  Device,
  HostArray,
  HostArrays,
  Hyperparams,
  ImageShape,
  Method,
  Model,
  Problem,
  PureFunction,
} from "../../harness/core/types.ts";
import { toArrays, toTensors } from "../../harness/core/host_arrays.ts";

/** Images of 8x8, 32 of them, in batches of 8. */
export const TINY_PROBLEM: Problem = {
  image: { height: 8, width: 8, channels: 1 },
  trainCount: 32,
  batchSize: 8,
  classCount: 4,
};

/** Hyperparameters that make any method as small as `TINY_PROBLEM`. */
const SMALL: Hyperparams = {
  latentDim: 4, // even, for flows with couplings
  featureDim: 64,
  width: 0.125,
  inputDim: 16,
  posteriorSteps: 3,
  priorSteps: 3,
  langevinSteps: 3,
  sampleSteps: 3,
  bufferSize: 24,
  flowBlocks: 1,
  fitSteps: 2,
};

/** Small hyperparameters of `method`, with `overrides`. Throws RangeError for a name that the method does not have. */
export function tinyHyper<H extends Hyperparams>(method: Method<H>, overrides: Partial<H> = {}): H {
  const known = ([name]: readonly [string, unknown]) => name in method.defaults;
  const unknown = Object.entries(overrides).find((entry) => !known(entry));
  if (unknown) throw new RangeError(`${method.name} has no hyperparameter "${unknown[0]}"`);
  const small = Object.fromEntries(Object.entries(SMALL).filter(known));
  return { ...method.defaults, ...small, ...overrides };
}

/** Smooth images in [0, 1], [count, height, width, channels]: each pixel is uniform noise times a ramp. */
export function tinyImages(count: number, image: ImageShape): HostArray {
  const { height, width, channels } = image;
  const size = height * width * channels;
  const bits = words(foldIn(keyOf(0), "toy"), 0, count * size); // a name that the parity fixture depends on
  const data = Float32Array.from(
    bits,
    (b, i) => (b >>> 8) * 2 ** -24 * ((i % size) + 1) / size,
  );
  return { shape: [count, height, width, channels], dtype: "float32", data };
}

/** The images `rows` of `images`. */
export function takeRows(images: HostArray, rows: readonly number[]): HostArray {
  const size = images.data.length / images.shape[0];
  const data = new Float32Array(rows.length * size);
  rows.forEach((row, i) => data.set(images.data.subarray(row * size, (row + 1) * size), i * size));
  return { ...images, shape: [rows.length, ...images.shape.slice(1)], data };
}

/** The label of each of `rows`: the classes take turns. */
function labelsOf(rows: readonly number[], { classCount }: { readonly classCount: number }) {
  return Int32Array.from(rows, (row) => row % classCount);
}

/** The initial state of `model`, on the host under flat names. */
export async function initialState(
  model: Model,
  seed: number,
): Promise<Record<string, HostArray>> {
  await tf.setBackend("cpu");
  let arrays: Record<string, HostArray> = {};
  tf.tidy(() => {
    const noise = createNoise(foldIn(keyOf(seed), "init"), tf.scalar(0, "int32"));
    arrays = toArrays(model.init(noise));
  });
  return arrays;
}

/** Before the names of chains among the inputs and outputs of a step. */
const CHAINS = "chains/";

/** `model.step` as a device compiles it. Inputs: images, rows, step, and `chains/...`, of a conditional model `labels`; outputs: metrics, and `chains/...`. */
function stepFunction(model: Model, seed: number): PureFunction {
  return ({ state, inputs }) => {
    const step = inputs.step as tf.Scalar;
    const chains = Object.entries(inputs).filter(([name]) => name.startsWith(CHAINS));
    const result = model.step(
      unflatten(state),
      {
        images: inputs.images as tf.Tensor4D,
        rows: inputs.rows as tf.Tensor1D,
        step,
        chains: Object.fromEntries(chains.map(([name, t]) => [name.slice(CHAINS.length), t])),
        ...model.conditional && { labels: inputs.labels as tf.Tensor1D },
      },
      createNoise(foldIn(keyOf(seed), "step"), step),
    );
    return {
      state: flatten(result.state),
      outputs: { ...result.metrics, ...flatten({ chains: result.chains }) },
    };
  };
}

/** The end of a training run: the state, the metrics of the last step, and those of every step. */
export interface Trained {
  readonly state: HostArrays;
  readonly metrics: Readonly<Record<string, number>>;
  readonly history: readonly Readonly<Record<string, number>>[];
}

/** Options of `train`. */
export interface TrainOptions {
  readonly device: Device;
  readonly problem: Problem;
  readonly seed: number;
  readonly images: HostArray;
  /** First and last (exclusive) step. */
  readonly steps: readonly [number, number];
  /** The state before the first step. */
  readonly state: HostArrays;
}

/** Steps of `model` over the images in their own order, batch by batch; chains, if any, start at zero in each step. */
export async function train(model: Model, options: TrainOptions): Promise<Trained> {
  const { device, problem, seed, images, steps: [from, to] } = options;
  const { batchSize, trainCount } = problem;
  const inputsAt = (step: number): HostArrays => {
    const rows = Array.from({ length: batchSize }, (_, i) => (step * batchSize + i) % trainCount);
    const zeros = Object.entries(model.chains ?? {}).map(([name, shape]) =>
      [CHAINS + name, {
        shape: [batchSize, ...shape],
        dtype: "float32",
        data: new Float32Array(batchSize * shape.reduce((a, b) => a * b, 1)),
      }] as const
    );
    return {
      images: takeRows(images, rows),
      rows: { shape: [batchSize], dtype: "int32", data: Int32Array.from(rows) },
      step: { shape: [], dtype: "int32", data: Int32Array.of(step) },
      ...model.conditional && {
        labels: { shape: [batchSize], dtype: "int32", data: labelsOf(rows, model.conditional) },
      },
      ...Object.fromEntries(zeros),
    };
  };
  await using program = await device.compile(stepFunction(model, seed), {
    state: options.state,
    inputs: inputsAt(from),
  });
  let state = await device.upload(options.state);
  const history: Record<string, number>[] = [];
  for (let step = from; step < to; step++) {
    const result = await program.run(state, inputsAt(step));
    state = result.state;
    const metrics = Object.entries(result.outputs).filter(([name]) => !name.startsWith(CHAINS));
    history.push(Object.fromEntries(metrics.map(([name, { data }]) => [name, data[0]])));
  }
  return { state: await device.download(state), metrics: history[history.length - 1], history };
}

/** Names of the entries of the state that one step of `method` moves differently on white images than on black ones. */
export async function entriesThatImagesChange<H extends Hyperparams>(
  method: Method<H>,
): Promise<string[]> {
  await tf.setBackend("cpu");
  const { batchSize: m, image: { height, width, channels } } = TINY_PROBLEM;
  const model = method.build(TINY_PROBLEM, tinyHyper(method));
  const state = toTensors(await initialState(model, 0));
  const stepOn = (brightness: number) => {
    const images = tf.fill<tf.Rank.R4>([m, height, width, channels], brightness);
    const rows: tf.Tensor1D = tf.range(0, m, 1, "int32");
    const batch = { images, rows, step: tf.scalar(0, "int32"), chains: {} };
    const noise = createNoise(keyOf(2), tf.scalar(0, "int32"));
    return toArrays(model.step(unflatten(state), batch, noise).state);
  };
  const [dark, light] = [stepOn(0), stepOn(1)];
  return Object.keys(dark).filter((name) =>
    dark[name].data.some((value, i) => value !== light[name].data[i])
  );
}
