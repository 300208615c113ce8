/**
 * Every interface of the harness: read this file to see the architecture.
 *
 * ```
 * CLI words -> Experiment -> RunSpec[] (method x data set x seed)
 *    -> init(state) -> compiled step over shuffled batches, epoch by epoch (timed) -> sample -> score
 *    -> RunRecord, appended to results.jsonl -> ResultTable -> Markdown | JSON
 * ```
 *
 * @module
 */
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from "@tensorflow/tfjs";

// ---------------------------------------------------------------- arrays

/** Element types that cross the rim of the engine. */
export type DType = "float32" | "int32";

/** Shape and element type of an array. */
export interface ArraySpec {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** An array on the host, row-major: what is fed to a program, read back from it, and saved. */
export interface HostArray extends ArraySpec {
  readonly data: Float32Array | Int32Array;
}

/** Rows of numbers on the host, in float64. */
export type Matrix = readonly (readonly number[])[];

/** Named host arrays. */
export type HostArrays = Readonly<Record<string, HostArray>>;

/** Named tensors, flat: what a program takes and returns. */
export type State = Readonly<Record<string, Tensor>>;

/**
 * Named tensors, nested as a model likes: `{ decoder: { 0: { weight, bias } }, logSigma }`. Names are joined by slashes where
 * a tree meets the engine and the checkpoint (`core/tree.ts`); an undefined entry is none.
 */
export interface Tree {
  readonly [name: string]: Tensor | Tree | undefined;
}

/** Shapes by name. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

// ---------------------------------------------------------------- noise

/**
 * A path in the tree of counter-based random streams (threefry2x32-20). One path, one draw: a second
 * draw from the same path throws, since it would return the same numbers.
 */
export interface Noise {
  /** The stream below this one named by `path`; same names, same stream. */
  split(...path: readonly (string | number)[]): Noise;
  /** Standard normal draws of `shape`, new ones for every training step. */
  normal<T extends Tensor = Tensor>(shape: readonly number[]): T;
  /** Uniform draws in [0, 1) of `shape`, new ones for every training step. */
  uniform<T extends Tensor = Tensor>(shape: readonly number[]): T;
  /** Standard normal draws [rows, width] that belong to the row numbers `rows` (int32), the same in every step. */
  normalOfRows(rows: Tensor1D, width: number): Tensor2D;
}

// ---------------------------------------------------------------- methods

/** Hyperparameters by name. Their types are those of the method's defaults. */
export type Hyperparams = Readonly<Record<string, number | string | boolean>>;

/** Height, width and channels of an image. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The facts of the data that a method may build on. */
export interface Problem {
  readonly image: ImageShape;
  /** Number of training images n. */
  readonly trainCount: number;
  /** Images a batch, m. */
  readonly batchSize: number;
}

/** One minibatch as a step sees it. */
export interface Batch {
  /** [m, height, width, channels] in [0, 1]. */
  readonly images: Tensor4D;
  /** Index of each image in the training set, [m] int32. */
  readonly rows: Tensor1D;
  /** Global step counter, from 0, int32. */
  readonly step: Scalar;
  /** Persistent chains of `rows` (empty unless the model declares `chains`), gathered and scattered by the harness. */
  readonly chains: State;
}

/** Result of a step: the state that replaces the old one, and scalars to record. */
export interface StepResult<S extends Tree = Tree> {
  /** Same names, shapes and types as the state that came in; an entry passed through unchanged costs nothing. */
  readonly state: S;
  /** Training metrics, averaged over an epoch by the harness. */
  readonly metrics: Readonly<Record<string, Scalar>>;
  /** The persistent chains of the batch after the step, if the model declares `chains`. */
  readonly chains?: State;
}

/** The range of a hyperparameter that `deno task tune` searches. Both ends are reached. */
export type SearchRange =
  | { readonly scale: "linear" | "log" | "integer"; readonly low: number; readonly high: number }
  | { readonly scale: "choice"; readonly values: readonly (number | string | boolean)[] };

/** A method that trains a generative model of images: a value; it owns no loop, clock, seed, file or device. */
export interface Method<H extends Hyperparams = Hyperparams> {
  /** Key in tables, specs and on the command line: `lae`. */
  readonly name: string;
  /** As shown in reports: `LAE`. */
  readonly label: string;
  /** The description column of the paper's Table 1: `LD + EBM + amortization`. */
  readonly description: string;
  /** Paper, section, equations. */
  readonly source: string;
  /** Each deviation from the source, with its reason. */
  readonly deviations: readonly string[];
  /** Every hyperparameter with its default; each with its source in a comment. */
  readonly defaults: H;
  /** The hyperparameters that tuning searches, with their ranges; all methods declare about as many. */
  readonly ranges?: Readonly<Record<string, SearchRange>>;
  /** The model for `problem`. Throws RangeError when `hyper` cannot work for it: called before any training. */
  build(problem: Problem, hyper: H): Model;
}

/**
 * A model closes over its networks and hyperparameters. Optional members are capabilities: the harness does not ask for what
 * is absent, and tables show a dash with the reason.
 */
export interface Model<S extends Tree = Tree> {
  /**
   * Shapes of persistent chains, one for each training image, without the row axis. The harness starts each at a standard
   * normal draw of its row.
   */
  readonly chains?: Shapes;
  /** Costs in quality of the hyperparameters for the problem, one sentence each; refused under `--strict`. */
  readonly warnings?: readonly string[];
  /** Floating-point operations of one step, as the formulas count them (`methods/parts/step_flops.ts`). */
  readonly flops?: number;
  /** The state before the first step. Runs eagerly. */
  init(noise: Noise): S;
  /** One training step: a pure function, traced once per shape and replayed. Scalars stay on the device. */
  step(state: S, batch: Batch, noise: Noise): StepResult<S>;
  /** Images [count, height, width, channels] in [0, 1] from the model. */
  sample(state: S, request: SampleRequest, noise: Noise): Tensor4D;
  readonly latents?: Latents<S>;
  readonly likelihood?: Likelihood<S>;
  readonly amortized?: AmortizedChains<S>;
}

/** What `sample` is asked for. */
export interface SampleRequest {
  readonly count: number;
  /** Persistent chains of `count` training images drawn at random (empty unless the model declares `chains`). */
  readonly chains: State;
}

/** Capability of a latent variable model p(x | z). */
export interface Latents<S extends Tree = Tree> {
  readonly dim: number;
  /** One posterior draw for each of `images` [n, height, width, channels] in [0, 1]: [n, dim]. */
  infer(state: S, images: Tensor4D, noise: Noise): Tensor2D;
  /** Mean images [n, height, width, channels] in [0, 1] for `latents` [n, dim]. */
  decode(state: S, latents: Tensor2D): Tensor4D;
}

/** Capability of a model whose q(z | x) and p(z) have known normalisers. */
export interface Likelihood<S extends Tree = Tree> {
  /**
   * log p(x, z) - log q(z | x) in nats for each of `images` [n, height, width, channels] in [0, 1], [n], at one draw z of q:
   * the mean is the ELBO, and log-mean-exp over k draws the importance-weighted bound.
   */
  logWeight(state: S, images: Tensor4D, noise: Noise): Tensor1D;
}

/**
 * Capability of a model whose posterior chains share weights, z_i = g(x_i) Phi for all rows at once: with fewer features
 * than rows they cannot all move freely, and the harness measures how freely they do.
 */
export interface AmortizedChains<S extends Tree = Tree> {
  /** g(x), [n, d]. */
  features(state: S, images: Tensor4D): Tensor2D;
  /** Where the chains are, g(x) Phi, [n, latentDim]. */
  latents(state: S, images: Tensor4D): Tensor2D;
  /** `state` after one move of Phi on a minibatch, with everything else at rest. */
  move(state: S, batch: Batch, noise: Noise): S;
  /**
   * Ends of independent chains for the same posterior from the same places, long enough to forget all but their variance:
   * [n, latentDim].
   */
  freeChains(state: S, images: Tensor4D, noise: Noise): Tensor2D;
}

// ---------------------------------------------------------------- data sets

/** The two parts of a data set. */
export type Split = "train" | "test";

/** Some images, one byte a channel, [count, height, width, channels] row-major. */
export interface ImageBatch {
  readonly image: ImageShape;
  readonly count: number;
  readonly pixels: Uint8Array;
}

/** The decoded images of a part of a data set. */
export interface ImageSet extends ImageBatch {
  /** One label an image where the set has them. */
  readonly labels?: Uint8Array;
  /** SHA-256 over `pixels`, hex: identifies the set in caches and records. */
  readonly sha256: string;
}

/** A file that a data set is made of. */
export interface DatasetFile {
  readonly name: string;
  readonly url?: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A data set: a value; listing it reads no file. */
export interface Dataset {
  readonly name: string;
  readonly label: string;
  /** Where it comes from, and its licence. */
  readonly source: string;
  readonly image: ImageShape;
  readonly counts: Readonly<Record<Split, number>>;
  readonly files: readonly DatasetFile[];
  /** Reads one part. Throws an Error that names the missing or broken file and the remedy. */
  load(split: Split): Promise<ImageSet>;
}

// ---------------------------------------------------------------- scores

/** What every score has. */
export interface ScoreBase {
  readonly name: string;
  readonly label: string;
  readonly better: "lower" | "higher";
  /** Hash of the weights behind the score, if it has any: recorded with every run. */
  readonly sha256?: string;
  /** What else the score depends on, recorded with every run: `{ mode: "tf", quantize: "bytes" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Why the score cannot be used on this machine, with the remedy, in one line; null, or no such member: it can. */
  available?(): Promise<string | null>;
  /** The part of the data set that the score compares with; `train` if absent. */
  readonly against?: Split;
}

/** Told how the statistics of the real images come, where that takes long. */
export interface ReferenceWatcher {
  /** So many images are done. */
  done?(count: number): void;
  /** Another process computes the same: this one waits for it. */
  waiting?(): void;
}

/** A score of generated images against real ones. */
export interface Metric<Reference = unknown> extends ScoreBase {
  /** Throws RangeError when images of this shape cannot be scored: called before any training. */
  check?(image: ImageShape): void;
  /** Statistics of the real images, computed once. */
  reference(real: ImageSet, watcher?: ReferenceWatcher): Promise<Reference>;
  /** Begins the score of images that come in batches. */
  begin(reference: Reference): Promise<Scoring>;
}

/** A score under way. It keeps what it needs of the images, not the images: 50,000 need not be in memory at once. */
export interface Scoring extends AsyncDisposable {
  add(images: ImageBatch): Promise<void>;
  /** The score of all that was added. */
  finish(): Promise<number>;
}

/**
 * A score of the model itself, by `Likelihood.logWeight`: an upper bound on the mean of -log p(x) over the test images, in
 * nats per dimension. Not asked of models without a likelihood.
 */
export interface LikelihoodBound extends ScoreBase {
  /** k, the draws of z under one logarithm: 1 for the ELBO, more for the importance-weighted bound. */
  readonly importanceSamples: number;
}

/** What a run can be scored by. */
export type Score = Metric | LikelihoodBound;

// ---------------------------------------------------------------- devices

/** Arrays that live where the steps run. */
export interface DeviceState {
  readonly specs: Readonly<Record<string, ArraySpec>>;
}

/** What is compiled: a pure function of a state and of inputs. */
export type PureFunction = (
  args: { readonly state: State; readonly inputs: State },
) => { readonly state?: State; readonly outputs: State };

/** A compiled PureFunction. */
export interface Program extends AsyncDisposable {
  /**
   * Runs once. Consumes `state`: after the call only the returned state may be used (entries that
   * the function passed through unchanged, or did not return, are carried over without a copy).
   */
  run(state: DeviceState, inputs: HostArrays): Promise<{ state: DeviceState; outputs: HostArrays }>;
  /**
   * The same, but returns while the device computes: `inputs` have been read, and the new state may enter the next run
   * before `outputs` are there. Absent where the thread that calls is the one that computes.
   */
  begin?(
    state: DeviceState,
    inputs: HostArrays,
  ): { readonly state: DeviceState; readonly outputs: Promise<HostArrays> };
  /** Facts of the compilation, for logs and benches. */
  readonly compiled: {
    readonly nodes: number;
    readonly traceSeconds: number;
    readonly compileSeconds: number;
    /** Random numbers drawn on the host for each run. */
    readonly noiseCount: number;
  };
}

/** Something that runs steps. */
export interface Device extends AsyncDisposable {
  /** As on the command line: `cpu`. */
  readonly name: string;
  /** For provenance: runtime, version, threads. */
  readonly description: string;
  /** Cards that it could have used, of which it uses the first; undefined where it cannot say. */
  readonly cardCount?: number;
  upload(arrays: HostArrays): Promise<DeviceState>;
  download(state: DeviceState): Promise<HostArrays>;
  /** Traces `fn` for these shapes. Throws when `fn` reads a value, draws host randomness, or freezes an array. */
  compile(
    fn: PureFunction,
    specs: {
      readonly state: Readonly<Record<string, ArraySpec>>;
      readonly inputs: Readonly<Record<string, ArraySpec>>;
    },
  ): Promise<Program>;
}

// ---------------------------------------------------------------- experiments and runs

/** What a run has and all runs of an experiment share. */
interface RunSettings {
  readonly epochs: number;
  readonly batchSize: number;
  /** Training images used, the first of the set; null for all. */
  readonly trainCount: number | null;
  /** Images sampled for the score. */
  readonly sampleCount: number;
  readonly metrics: readonly string[];
  /** Whether samples of the initial state are scored too: what the score is worth before any learning. */
  readonly scoreUntrained: boolean;
  /** `cpu`, `tfjs-cpu`, ...: devices do not agree to the last bit, so it is part of the identity. */
  readonly device: string;
  /** Threads of the device, part of the identity for the same reason. */
  readonly threads: number;
}

/** One run, resolved: everything that its numbers depend on. Its hash is the run's id. */
export interface RunSpec extends RunSettings {
  readonly method: string;
  readonly dataset: string;
  readonly seed: number;
  readonly hyper: Hyperparams;
}

/** A preset, after the command line's overrides. */
export interface Experiment extends RunSettings {
  readonly name: string;
  readonly methods: readonly string[];
  readonly datasets: readonly string[];
  readonly seeds: readonly number[];
  /** Overrides of defaults by method; those under `*`, and `*@DATASET`, hold for every method that has the key. */
  readonly hyper: Readonly<Record<string, Hyperparams>>;
}

/** One epoch of training as recorded. */
export interface EpochRecord {
  /** From 0. */
  readonly epoch: number;
  /** On the training clock; compilation and checkpoints are not in it. */
  readonly seconds: number;
  /** The first epoch of a process, slower than the rest: left out of the statistics of seconds per epoch. */
  readonly warmup: boolean;
  readonly steps: number;
  /** Mean over the epoch's steps. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Where a number came from: recorded, never hashed into the id. */
export interface Provenance {
  readonly commit: string | null;
  readonly dirty: boolean | null;
  readonly lockSha256: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly device: string;
  readonly cpu: string;
  readonly cores: number;
  /** Runs that shared the machine: times of runs with different `jobs` do not compare. */
  readonly jobs: number;
  readonly os: string;
  readonly datasetSha256: string;
  readonly metricSha256: Readonly<Record<string, string>>;
  /** Of the metrics that have any; absent from records made before metrics had settings. */
  readonly metricSettings?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** How freely amortized chains move, after training. */
export interface Diagnostics {
  /** d, columns of the features. */
  readonly features: number;
  /** n, rows that they were measured on: the training images. */
  readonly rows: number;
  /** Numerical rank of the features. */
  readonly rank: number;
  /** Leverages of the rows: the share of its posterior's variance that each chain can reach. Their mean is rank / rows. */
  readonly leverage: { readonly mean: number; readonly min: number; readonly max: number };
  /** Variance of amortized chains over `moves` moves, over that of free chains; null where either is not finite. */
  readonly varianceRatio: number | null;
  readonly moves: number;
}

/** What a LikelihoodBound rests on. */
export interface BoundBasis {
  /** k. */
  readonly importanceSamples: number;
  /** Draws of z for each image, in groups of k. */
  readonly draws: number;
  /** Test images. */
  readonly images: number;
  /** Of the mean over images, nats per dimension. */
  readonly standardError: number;
}

/** Seconds on clocks that never overlap: their sum is the time the run took. */
export interface Seconds {
  readonly train: number;
  readonly sample: number;
  /** Scores, bounds on the likelihood, diagnostics. */
  readonly score: number;
  /** Loading, compilation, checkpoints. */
  readonly other: number;
}

interface RunRecordBase {
  readonly schema: 1;
  readonly id: string;
  readonly experiment: string;
  readonly spec: RunSpec;
  readonly startedAt: string;
  readonly provenance: Provenance | null;
  readonly seconds: Seconds;
  readonly epochs: readonly EpochRecord[];
}

/** One line of results.jsonl. */
export type RunRecord =
  & RunRecordBase
  & (
    | {
      readonly status: "completed";
      readonly scores: Readonly<Record<string, number>>;
      readonly untrained: Readonly<Record<string, number>>;
      /** Of the scores that are bounds on the likelihood; absent if none is. */
      readonly bounds?: Readonly<Record<string, BoundBasis>>;
      /** Mean squared error per pixel of test images in [0, 1] made from one posterior draw each; absent from older records. */
      readonly reconstructionError?: number;
      /** What was measured of the method itself; absent if nothing was. */
      readonly diagnostics?: Diagnostics;
    }
    | { readonly status: "diverged"; readonly epoch: number; readonly metric: string }
    | { readonly status: "failed"; readonly error: string }
    | { readonly status: "interrupted" }
  );
