import { type Chains, gatherChains, gatherImages, scatterChains } from "./batches.ts";
import { shuffledRows, stepsPerEpoch } from "../core/row_order.ts";
import { createNoise, type Key } from "../core/noise.ts";
import { NotFiniteError } from "../core/not_finite.ts";
import { flatten, unflatten } from "../core/tree.ts";
import type { Stopwatch } from "../core/stopwatch.ts";
import type {
  ArraySpec,
  DeviceState,
  HostArray,
  HostArrays,
  ImageSet,
  ImageShape,
  Model,
  Program,
  PureFunction,
  Shapes,
  State,
  StepResult,
} from "../core/types.ts";
import type { EpochRecord } from "../core/records.ts";
import { type Scalar, Tensor, type Tensor1D, type Tensor4D } from "@tensorflow/tfjs";

const CHAINS = "chains/";

/**
 * Makes a training step of `model` a pure function: inputs `images` [m, h, w, c], `rows` [m], `step` and
 * `chains/NAME` [m, ...]; outputs each metric by name, and `chains/NAME`.
 */
export function stepFunction(model: Model, key: Key): PureFunction {
  return ({ state, inputs }) => {
    const result = model.step(
      unflatten(state),
      {
        images: inputs.images as Tensor4D,
        rows: inputs.rows as Tensor1D,
        step: inputs.step as Scalar,
        chains: chainsOf(inputs),
      },
      createNoise(key, inputs.step as Scalar),
    );
    checkStep(result, { state, chains: model.chains });
    return {
      state: flatten(result.state),
      outputs: { ...result.metrics, ...withPrefix(result.chains) },
    };
  };
}

/**
 * Throws TypeError if a step returns no value for a name of `state` or for one of `chains`, which would then never move, or a
 * metric that is no scalar.
 */
function checkStep(
  result: StepResult,
  { state, chains = {} }: { readonly state: State; readonly chains?: Shapes },
): void {
  const returned = flatten(result.state);
  for (const name of Object.keys(state)) {
    if (!(name in returned)) {
      throw new TypeError(
        `step() returns a state without "${name}": return it unchanged if it does not move`,
      );
    }
  }
  for (const name of Object.keys(chains)) {
    if (result.chains?.[name] === undefined) {
      throw new TypeError(`step() returns no chains "${name}", which the model declares`);
    }
  }
  for (const [name, metric] of Object.entries(result.metrics)) {
    const shape = metric instanceof Tensor ? metric.shape : undefined;
    if (shape?.length !== 0) {
      const got = shape === undefined ? typeof metric : `a tensor of shape [${shape}]`;
      throw new TypeError(`The metric "${name}" of step() must be a scalar tensor, got ${got}`);
    }
  }
}

/** Shapes and types of the inputs of `stepFunction`. `chains` are shapes without the row axis. */
export function stepInputs(
  { image, batchSize, chains = {} }: {
    readonly image: ImageShape;
    readonly batchSize: number;
    readonly chains?: Shapes;
  },
): Readonly<Record<string, ArraySpec>> {
  const { height, width, channels } = image;
  return {
    images: { shape: [batchSize, height, width, channels], dtype: "float32" },
    rows: { shape: [batchSize], dtype: "int32" },
    step: { shape: [], dtype: "int32" },
    ...chainInputs(chains, batchSize),
  };
}

/** Shapes and types of the persistent chains of `count` rows among a program's inputs. */
export function chainInputs(chains: Shapes = {}, count: number): Record<string, ArraySpec> {
  return withPrefix(
    Object.fromEntries(
      Object.entries(chains).map(([name, shape]) => [
        name,
        { shape: [count, ...shape], dtype: "float32" } as const,
      ]),
    ),
  );
}

/** Arrays of persistent chains under their names among a program's inputs. */
export function withPrefix<T>(chains: Readonly<Record<string, T>> = {}): Record<string, T> {
  return Object.fromEntries(Object.entries(chains).map(([name, t]) => [CHAINS + name, t]));
}

/** The persistent chains among a program's inputs or outputs, by their own names. */
export function chainsOf<T>(inputs: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(inputs).filter(([name]) => name.startsWith(CHAINS))
      .map(([name, t]) => [name.slice(CHAINS.length), t]),
  );
}

/** State of training between two epochs. */
export interface TrainPosition {
  /** The next epoch. */
  readonly epoch: number;
  readonly state: DeviceState;
  /** Chains of all rows, updated in place during an epoch. */
  readonly chains: Chains;
}

/** Options of `train`. */
export interface TrainOptions {
  /** `stepFunction`, compiled. */
  readonly program: Program;
  readonly images: ImageSet;
  /** Number of training images: the first of `images`. */
  readonly trainCount: number;
  readonly batchSize: number;
  readonly epochs: number;
  /** Key of the row order, shared by all methods. */
  readonly orderKey: Key;
  readonly stopwatch: Stopwatch;
  /** Called after each step with its 1-based number in the epoch. */
  readonly onStep?: (step: number, metrics: Readonly<Record<string, number>>) => void;
}

/**
 * Trains from `position` to the last epoch and yields after each epoch its record and the new position. Only steps and their
 * batches count on the clock `train`; between epochs the clock is `other`. Throws NotFiniteError at the first metric that is
 * not finite.
 */
export async function* train(
  position: TrainPosition,
  options: TrainOptions,
): AsyncGenerator<{ readonly record: EpochRecord; readonly position: TrainPosition }> {
  const { stopwatch } = options;
  let { state } = position;
  const { chains } = position;
  const steps = stepsPerEpoch(options.trainCount, options.batchSize);
  const feed = createFeed(options);
  for (let epoch = position.epoch; epoch < options.epochs; epoch++) {
    const trained = stopwatch.read().train;
    stopwatch.switchTo("train");
    const order = shuffledRows(options.orderKey, epoch, options.trainCount);
    const sums: Record<string, number> = {};
    let before: Readonly<Record<string, number>> | undefined;
    const finish = ({ rows, outputs }: Finished, step: number) => {
      scatterChains(chains, rows, chainsOf(outputs));
      const metrics = readMetrics(outputs);
      for (const [name, value] of Object.entries(metrics)) {
        if (!Number.isFinite(value)) {
          throw new NotFiniteError(name, value, { step, metrics, ...before && { before } });
        }
        sums[name] = (sums[name] ?? 0) + value;
      }
      before = metrics;
      options.onStep?.(step, metrics);
    };
    let finished = 0;
    for await (
      const result of inTurn(steps, {
        ahead: options.program.begin ? 1 : 0,
        begin: async (step) => {
          const rows = order.subarray(step * options.batchSize, (step + 1) * options.batchSize);
          // The steps of an epoch have disjoint rows, so a step need not wait for the chains of the previous one.
          const begun = await beginStep(options.program, state, {
            ...feed(rows, epoch * steps + step),
            ...withPrefix(gatherChains(chains, rows)),
          });
          state = begun.state;
          return { result: begun.outputs.then((outputs) => ({ rows, outputs })) };
        },
      })
    ) finish(result, ++finished);
    stopwatch.switchTo("other");
    const record: EpochRecord = {
      epoch,
      seconds: stopwatch.read().train - trained,
      warmup: epoch === position.epoch,
      steps,
      metrics: Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / steps])),
    };
    yield { record, position: { epoch: epoch + 1, state, chains } };
  }
}

/** Rows and outputs of a finished step. */
interface Finished {
  readonly rows: Int32Array;
  readonly outputs: HostArrays;
}

/** Begins a step; on a device that computes in the calling thread, it is finished when this resolves. */
async function beginStep(program: Program, state: DeviceState, inputs: HostArrays) {
  if (program.begin) return program.begin(state, inputs);
  const result = await program.run(state, inputs);
  return { state: result.state, outputs: Promise.resolve(result.outputs) };
}

/**
 * Begins `count` jobs in order, with up to `ahead` more begun than awaited, and yields their results in order. Waits for every
 * job that has begun, also after a failure.
 */
export async function* inTurn<T>(
  count: number,
  { ahead, begin }: {
    readonly ahead: number;
    /** Resolves once the job has begun. */
    readonly begin: (job: number) => Promise<{ readonly result: Promise<T> }>;
  },
): AsyncGenerator<T> {
  const running: Promise<T>[] = [];
  try {
    for (let job = 0; job < count; job++) {
      const { result } = await begin(job);
      result.catch(() => {}); // a failure is reported when the result is awaited
      running.push(result);
      if (running.length > ahead) yield await running.shift()!;
    }
    while (running.length > 0) yield await running.shift()!;
  } finally {
    await Promise.allSettled(running);
  }
}

/**
 * Makes the function from row numbers to a step's inputs. It reuses its buffers: a program has read its inputs when `begin`
 * returns or `run` resolves.
 */
export function createFeed(
  { images, batchSize }: Pick<TrainOptions, "images" | "batchSize">,
): (rows: Int32Array, step: number) => HostArrays {
  const { height, width, channels } = images.image;
  const shape = [batchSize, height, width, channels];
  const pixels = new Float32Array(batchSize * height * width * channels);
  return (rows, step) => {
    gatherImages(images, rows, pixels);
    return {
      images: { shape, dtype: "float32", data: pixels },
      rows: { shape: [batchSize], dtype: "int32", data: rows },
      step: { shape: [], dtype: "int32", data: new Int32Array([step]) },
    };
  };
}

function readMetrics(outputs: HostArrays): Record<string, number> {
  const metrics = Object.entries(outputs).filter(([name]) => !name.startsWith(CHAINS));
  return Object.fromEntries(
    metrics.map(([name, { data }]: [string, HostArray]) => [name, data[0]]),
  );
}
