/**
 * What the tests of this folder share: a tiny problem, and training steps on a device.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createNoise, foldIn, keyOf, words } from "../../harness/core/noise.ts";
import type {
  Device,
  HostArray,
  HostArrays,
  Hyperparams,
  ImageShape,
  Method,
  Problem,
  PureFunction,
  State,
} from "../../harness/core/types.ts";

/** Images of 8x8, 32 of them, in batches of 8. */
export const TOY: Problem = {
  image: { height: 8, width: 8, channels: 1 },
  trainCount: 32,
  batchSize: 8,
};

/** Hyperparameters that make `method` as small as `TOY`. */
export function toyHyper(method: Method, overrides: Hyperparams = {}): Hyperparams {
  const small: Hyperparams = {
    latentDim: 3,
    featureDim: 64,
    width: 0.125,
    inputDim: 16,
    posteriorSteps: 3,
    priorSteps: 3,
  };
  const known = Object.entries({ ...small, ...overrides }).filter(([k]) => k in method.defaults);
  return { ...method.defaults, ...Object.fromEntries(known) };
}

/** Smooth images in [0, 1], [count, height, width, channels]: each pixel is uniform noise times a ramp. */
export function toyImages(count: number, image: ImageShape): HostArray {
  const { height, width, channels } = image;
  const size = height * width * channels;
  const bits = words(foldIn(keyOf(0), "toy"), 0, count * size);
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

/** The initial state of `method`, on the host. */
export async function initialState(
  method: Method,
  { problem, hyper, seed }: { problem: Problem; hyper: Hyperparams; seed: number },
): Promise<HostArrays> {
  await tf.setBackend("cpu");
  const noise = createNoise(foldIn(keyOf(seed), "init"), tf.scalar(0, "int32"));
  const state = tf.tidy(() => ({ ...method.init(problem, hyper, noise) }));
  const arrays = Object.entries(state).map(([name, t]) =>
    [name, {
      shape: t.shape,
      dtype: t.dtype as HostArray["dtype"],
      data: t.dataSync().slice() as Float32Array,
    }] as const
  );
  tf.dispose(state);
  return Object.fromEntries(arrays);
}

/** `method.step` as a device compiles it. Inputs: images, rows, step, and `chains/...`; outputs: metrics, and `chains/...`. */
export function stepFunction(
  method: Method,
  { hyper, seed }: { hyper: Hyperparams; seed: number },
): PureFunction {
  return ({ state, inputs }) => {
    const step = inputs.step as tf.Scalar;
    const chains = Object.entries(inputs).filter(([name]) => name.startsWith("chains/"));
    const result = method.step(
      state,
      {
        images: inputs.images as tf.Tensor4D,
        rows: inputs.rows as tf.Tensor1D,
        step,
        chains: Object.fromEntries(chains.map(([name, t]) => [name.slice("chains/".length), t])),
      },
      hyper,
      createNoise(foldIn(keyOf(seed), "step"), step),
    );
    return {
      state: result.state,
      outputs: { ...result.metrics, ...prefixed("chains/", result.chains ?? {}) },
    };
  };
}

const prefixed = (prefix: string, state: State): State =>
  Object.fromEntries(Object.entries(state).map(([name, t]) => [prefix + name, t]));

/** Where a training run got: the state, the metrics of the last step, and those of every step. */
export interface Trained {
  readonly state: HostArrays;
  readonly metrics: Readonly<Record<string, number>>;
  readonly history: readonly Readonly<Record<string, number>>[];
}

/** What `train` needs. */
export interface TrainOptions {
  readonly device: Device;
  readonly problem: Problem;
  readonly hyper: Hyperparams;
  readonly seed: number;
  readonly images: HostArray;
  /** First and last (exclusive) step. */
  readonly steps: readonly [number, number];
  readonly state: HostArrays;
}

/** Steps of `method` over the images in their own order, batch by batch; chains, if any, start at zero in each step. */
export async function train(method: Method, options: TrainOptions): Promise<Trained> {
  const { device, problem, hyper, images, steps: [from, to] } = options;
  const { batchSize, trainCount } = problem;
  const chains = Object.entries(method.chains?.(problem, hyper) ?? {});
  const inputsAt = (step: number): HostArrays => {
    const rows = Array.from({ length: batchSize }, (_, i) => (step * batchSize + i) % trainCount);
    const zeros = chains.map(([name, shape]) =>
      [`chains/${name}`, {
        shape: [batchSize, ...shape],
        dtype: "float32",
        data: new Float32Array(batchSize * shape.reduce((a, b) => a * b, 1)),
      }] as const
    );
    return {
      images: takeRows(images, rows),
      rows: { shape: [batchSize], dtype: "int32", data: Int32Array.from(rows) },
      step: { shape: [], dtype: "int32", data: Int32Array.of(step) },
      ...Object.fromEntries(zeros),
    };
  };
  const specs = (arrays: HostArrays) =>
    Object.fromEntries(
      Object.entries(arrays).map(([k, { shape, dtype }]) => [k, { shape, dtype }]),
    );
  await using program = await device.compile(stepFunction(method, options), {
    state: specs(options.state),
    inputs: specs(inputsAt(from)),
  });
  let state = await device.upload(options.state);
  const history: Record<string, number>[] = [];
  for (let step = from; step < to; step++) {
    const result = await program.run(state, inputsAt(step));
    state = result.state;
    const metrics = Object.entries(result.outputs).filter(([k]) => !k.startsWith("chains/"));
    history.push(Object.fromEntries(metrics.map(([k, { data }]) => [k, data[0]])));
  }
  return { state: await device.download(state), metrics: history[history.length - 1], history };
}
