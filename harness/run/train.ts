import {
  type Chains,
  gatherChains,
  gatherImages,
  labelsOfRows,
  scatterChains,
  seenOfRows,
} from "./batches.ts";
import process from "node:process";
import { shuffledRows, stepsPerEpoch } from "../core/row_order.ts";
import { createNoise, type Key } from "../core/noise.ts";
import { NotFiniteError, type StepAtFault } from "../core/not_finite.ts";
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
 * Makes a training step of `model` a pure function: inputs `images` [m, h, w, c], `rows` [m], `step`,
 * `chains/NAME` [m, ...], for a conditional model `labels` [m], and for images with hidden pixels `seen` [m, h, w, 1]; outputs
 * each metric by name, and `chains/NAME`.
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
        ...model.conditional && { labels: inputs.labels as Tensor1D },
        ...inputs.seen && { seen: inputs.seen as Tensor4D },
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

/** Shapes and types of the inputs of `stepFunction` for `model`; with `seen` if `isPartial`. */
export function stepInputs(
  { chains = {}, conditional }: Pick<Model, "chains" | "conditional">,
  { image, batchSize, isPartial = false }: {
    readonly image: ImageShape;
    readonly batchSize: number;
    readonly isPartial?: boolean;
  },
): Readonly<Record<string, ArraySpec>> {
  const { height, width, channels } = image;
  return {
    images: { shape: [batchSize, height, width, channels], dtype: "float32" },
    rows: { shape: [batchSize], dtype: "int32" },
    step: { shape: [], dtype: "int32" },
    ...conditional && { labels: { shape: [batchSize], dtype: "int32" } as const },
    ...isPartial && { seen: { shape: [batchSize, height, width, 1], dtype: "float32" } as const },
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

/** Training inside an epoch: what its record is computed from. */
export interface PartialEpoch {
  /** Steps that are done. */
  readonly steps: number;
  /** Of training, as in the epoch's record. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Sum of each metric over the steps, in their order. */
  readonly sums: Readonly<Record<string, number>>;
  /** The metrics of the last of the steps; absent before the first, and from checkpoints of older versions. */
  readonly last?: Readonly<Record<string, number>>;
}

/** State of training between two steps. */
export interface TrainPosition {
  /** Of the next step. */
  readonly epoch: number;
  /** Absent between two epochs. */
  readonly partial?: PartialEpoch;
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
  /** Limits of metrics, and whether the steps take labels, which `images` then has. */
  readonly model?: Pick<Model, "limits" | "conditional">;
  /** Called after each step with its 1-based number in the epoch. */
  readonly onStep?: (step: number, metrics: Readonly<Record<string, number>>) => void;
  /** Asked between steps: whether to yield the position inside the epoch. */
  readonly pause?: () => Promise<boolean>;
}

/** A point that training has reached. */
export interface Reached {
  readonly position: TrainPosition;
  /** Of the epoch that ends here, with what it was computed from; absent inside an epoch. */
  readonly ended?: { readonly record: EpochRecord; readonly partial: PartialEpoch };
}

/**
 * Trains from `position` to the last epoch, and yields after each epoch and wherever `pause` asks for it, after at least one
 * step. Going on from a position gives the same bits as not stopping there. Only steps and their batches count on the clock
 * `train`; while the caller has the position, the clock is `other`. Throws NotFiniteError, with the step, at the
 * first metric that is not finite or beyond its limit.
 */
export async function* train(
  position: TrainPosition,
  options: TrainOptions,
): AsyncGenerator<Reached> {
  const { stopwatch } = options;
  let { state } = position;
  const { chains } = position;
  const steps = stepsPerEpoch(options.trainCount, options.batchSize);
  const feed = createFeed(options);
  for (let epoch = position.epoch; epoch < options.epochs; epoch++) {
    const order = shuffledRows(options.orderKey, epoch, options.trainCount);
    let partial = position.epoch === epoch && position.partial || START;
    while (partial.steps < steps) {
      const before = { seconds: stopwatch.read().train, cpuSeconds: cpuSeconds() };
      stopwatch.switchTo("train");
      const sums: Record<string, number> = { ...partial.sums };
      let { steps: finished, last } = partial;
      const finish = ({ rows, outputs }: Finished) => {
        scatterChains(chains, rows, chainsOf(outputs));
        const metrics = readMetrics(outputs);
        finished++;
        const at = { epoch, step: finished, metrics, ...last && { before: last } };
        refuseDivergence(at, options.model?.limits);
        for (const [name, value] of Object.entries(metrics)) {
          sums[name] = (sums[name] ?? 0) + value;
        }
        last = metrics;
        options.onStep?.(finished, metrics);
      };
      for await (
        const result of inTurn([partial.steps, steps], {
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
          stop: options.pause,
        })
      ) finish(result);
      stopwatch.switchTo("other");
      partial = {
        steps: finished,
        seconds: partial.seconds + stopwatch.read().train - before.seconds,
        cpuSeconds: partial.cpuSeconds + cpuSeconds() - before.cpuSeconds,
        sums,
        ...last && { last },
      };
      if (finished < steps) yield { position: { epoch, partial, state, chains } };
    }
    const { seconds, cpuSeconds: cpu, sums } = partial;
    const record: EpochRecord = {
      epoch,
      seconds,
      cpuSeconds: cpu,
      warmup: epoch === position.epoch,
      steps,
      metrics: Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / steps])),
    };
    yield { position: { epoch: epoch + 1, state, chains }, ended: { record, partial } };
  }
}

/** The start of an epoch. */
const START: PartialEpoch = { steps: 0, seconds: 0, cpuSeconds: 0, sums: {} };

/** Throws NotFiniteError for the first metric of a step that is not finite or beyond its limit. */
function refuseDivergence(at: StepAtFault, limits: Model["limits"] = {}): void {
  for (const [name, value] of Object.entries(at.metrics)) {
    if (!Number.isFinite(value)) throw new NotFiniteError(name, value, { at });
    const limit = limits[name];
    if (limit !== undefined && Math.abs(value) > limit) {
      throw new NotFiniteError(name, value, { limit, at });
    }
  }
}

/** Processor seconds of this process so far, of all its threads. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
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
 * Begins the jobs from `first` to before `end` in order, with up to `ahead` more begun than awaited, and yields their results
 * in order. `stop` is asked before each job but the first, and ends the sequence early. Waits for every job that has begun,
 * also after a failure.
 */
export async function* inTurn<T>(
  [first, end]: readonly [number, number],
  { ahead, begin, stop = () => Promise.resolve(false) }: {
    readonly ahead: number;
    /** Resolves once the job has begun. */
    readonly begin: (job: number) => Promise<{ readonly result: Promise<T> }>;
    readonly stop?: () => Promise<boolean>;
  },
): AsyncGenerator<T> {
  const running: Promise<T>[] = [];
  try {
    for (let job = first; job < end && !(job > first && await stop()); job++) {
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
  { images, batchSize, model }: Pick<TrainOptions, "images" | "batchSize" | "model">,
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
      ...model?.conditional && { labels: labelsOfRows(images, rows) },
      ...images.seen && { seen: seenOfRows(images, rows) },
    };
  };
}

function readMetrics(outputs: HostArrays): Record<string, number> {
  const metrics = Object.entries(outputs).filter(([name]) => !name.startsWith(CHAINS));
  return Object.fromEntries(
    metrics.map(([name, { data }]: [string, HostArray]) => [name, data[0]]),
  );
}
