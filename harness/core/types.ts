/**
 * The interfaces of the harness: read this file, then records.ts, to see the architecture.
 *
 * ```
 * CLI arguments -> Experiment -> RunSpec[] (method x data set x seed)
 *    -> init(state) -> compiled step over shuffled batches, epoch by epoch (timed) -> sample -> score
 *    -> RunRecord, appended to results.jsonl -> ResultTable -> Markdown | JSON | HTML
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
  /** Number of classes of the images' labels; absent if they have none. */
  readonly classCount?: number;
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
  /** Class of each image, [m] int32 in 0 ... classCount - 1; absent unless the model is `conditional`. */
  readonly labels?: Tensor1D;
  /** As of `PartialImages`: the pixels to learn from; absent if all of them are seen, and unless the model is `partial`. */
  readonly seen?: Tensor4D;
}

/** Images of which some pixels may be hidden. */
export interface PartialImages {
  /** [n, height, width, channels] in [0, 1]; hidden pixels have a value that depends on the seen ones alone. */
  readonly images: Tensor4D;
  /** [n, height, width, 1]: 1 where a pixel is seen, 0 where it is hidden; absent where all are seen. */
  readonly seen?: Tensor4D;
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
  /** Devices on which the method is known to be wrong, with what is wrong: refused before any work. */
  readonly wrongOn?: Readonly<Record<string, string>>;
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
  /** Largest absolute values of training metrics, by name: a run in which one is exceeded has diverged, and stops. */
  readonly limits?: Readonly<Record<string, number>>;
  /** The state before the first step. Runs eagerly. */
  init(noise: Noise): S;
  /** One training step: a pure function, traced once per shape and replayed. Scalars stay on the device. */
  step(state: S, batch: Batch, noise: Noise): StepResult<S>;
  /**
   * Images [count, height, width, channels] in [0, 1] from the model, sampled in the method's own way; of a conditional model
   * the classes in turn, image i of class i mod classCount.
   */
  sample(state: S, request: SampleRequest, noise: Noise): Tensor4D;
  /** Other ways to sample the same trained model, where test time leaves a choice: each is a row of its own in reports. */
  readonly alternatives?: readonly AlternativeSampling<S>[];
  readonly conditional?: Conditional<S>;
  readonly bijection?: Bijection<S>;
  readonly latents?: Latents<S>;
  readonly likelihood?: Likelihood<S>;
  readonly joint?: JointDensity<S>;
  readonly partial?: PartialInference<S>;
  readonly restoration?: Restoration<S>;
  readonly amortized?: AmortizedChains<S>;
  readonly learnedPrior?: LearnedPrior<S>;
  /** The Langevin chains that the model runs, in training or at test time; absent if it runs none. */
  readonly langevinChains?: readonly LangevinChain<S>[];
}

/** Another way than `Model.sample` to draw images from a trained model. */
export interface AlternativeSampling<S extends Tree = Tree> {
  /** As in records and in names of files: `prior_steps`. */
  readonly name: string;
  /** The row's label in reports: `LAE + prior steps`. */
  readonly label: string;
  /** As `Model.sample`, and with the same noise: what both draw from one path is equal. */
  sample(state: S, request: SampleRequest, noise: Noise): Tensor4D;
  /**
   * log p(x) of its samples' own distribution, where that is known, for each of `images` [n, height, width, channels] in
   * [0, 1] of 256 levels: nats, [n]; a lower bound in the mean if it draws noise between the levels.
   */
  logDensity?(state: S, images: Tensor4D, noise: Noise): Tensor1D;
}

/** Arguments of `sample`. */
export interface SampleRequest {
  readonly count: number;
  /** Persistent chains of `count` training images drawn at random (empty unless the model declares `chains`). */
  readonly chains: State;
}

/** Capability of a model of p(x | label): it learns from labels, and samples the class asked for. */
export interface Conditional<S extends Tree = Tree> {
  /** Labels are 0 ... classCount - 1. */
  readonly classCount: number;
  /** An image in [0, 1] of the class of each of `labels` [count] int32: [count, height, width, channels]. */
  sample(state: S, labels: Tensor1D, noise: Noise): Tensor4D;
}

/** Capability of a model with a bijection between images and codes of as many numbers, N(0, I) for its samples. */
export interface Bijection<S extends Tree = Tree> {
  /** The code of each of `images` [n, height, width, channels] in [0, 1] of 256 levels: [n, height * width * channels]. */
  encode(state: S, images: Tensor4D): Tensor2D;
  /** The images in [0, 1] of `codes` [n, height * width * channels]: those that were encoded, to a grey level. */
  decode(state: S, codes: Tensor2D): Tensor4D;
}

/** Capability of a latent variable model p(x | z). */
export interface Latents<S extends Tree = Tree> {
  readonly dim: number;
  /** One posterior draw for each of `images` [n, height, width, channels] in [0, 1]: [n, dim]. */
  infer(state: S, images: Tensor4D, noise: Noise): Tensor2D;
  /** Latents that reconstruct `images` best, [n, dim], where the method has a procedure for that besides a draw. */
  fit?(state: S, images: Tensor4D, noise: Noise): Tensor2D;
  /** Mean images [n, height, width, channels] in [0, 1] for `latents` [n, dim]. */
  decode(state: S, latents: Tensor2D): Tensor4D;
}

/**
 * Capability of a model whose pixels are independent given z, so that the likelihood of the seen pixels alone is known: it
 * infers from them, and `step` learns from `Batch.seen`.
 */
export interface PartialInference<S extends Tree = Tree> {
  /**
   * Whether `infer` presumes training on images with hidden pixels: true for an encoder, whose q(z | x) fits only images such
   * as it was trained on; false for a chain, which goes to the posterior given the seen pixels whatever it was trained on.
   */
  readonly needsPartialTraining: boolean;
  /** One draw of z given the seen pixels for each image: [n, dim]. */
  infer(state: S, images: PartialImages, noise: Noise): Tensor2D;
}

/**
 * Capability of a model without latents that fits what it can generate to an image, or to the seen pixels of one. The harness
 * makes the steps one by one, so that a graph holds a single one, however many there are.
 */
export interface Restoration<S extends Tree = Tree> {
  /** Steps of a fit. */
  readonly steps: number;
  /** Where the fits of `count` images start, [count, height, width, channels] in the model's own range. */
  start(state: S, count: number, noise: Noise): Tensor4D;
  /** One step of the fit `fit` [n, height, width, channels] to the seen pixels of each of `images`, or to all of them. */
  step(state: S, fit: Tensor4D, images: PartialImages): Tensor4D;
  /** The images that the model generates from `fit`: [n, height, width, channels] in [0, 1]. */
  finish(state: S, fit: Tensor4D): Tensor4D;
}

/** Capability of a model whose q(z | x) and p(z) have known normalisers. */
export interface Likelihood<S extends Tree = Tree> {
  /** Gradients of log p(x, z) by z that a draw costs beside its density; 0 if absent. */
  readonly gradientsPerDraw?: number;
  /**
   * log p(x, z) - log q(z | x) in nats for each of `images` [n, height, width, channels] in [0, 1], [n], at one draw z of q:
   * the mean is the ELBO, and log-mean-exp over k draws the importance-weighted bound.
   */
  logWeight(state: S, images: Tensor4D, noise: Noise): Tensor1D;
}

/**
 * Capability of a model whose joint density p(x, z) = p(z) p(x | z) can be drawn from and evaluated: what simulation-based
 * calibration and annealed importance sampling need. The prior is N(0, I), or N(0, I) tilted by a learned factor:
 * log p(z) = log N(z; 0, I) + tilt(z) - log Z.
 */
export interface JointDensity<S extends Tree = Tree> {
  /** Dimension of z. */
  readonly dim: number;
  /** Draws of z [count, dim]: exact if `tilt` is absent, otherwise the ends of the prior chains that `sample` decodes. */
  drawLatents(state: S, count: number, noise: Noise): Tensor2D;
  /** A draw of p(x | z) for each of `latents` [n, dim]: images [n, height, width, channels] in the units of [0, 1], unclipped. */
  drawImages(state: S, latents: Tensor2D, noise: Noise): Tensor4D;
  /** log p(x | z) in nats, [n], for `images` in the units of [0, 1]. */
  logLikelihood(state: S, images: Tensor4D, latents: Tensor2D): Tensor1D;
  /** log p(z) - log N(z; 0, I) in nats up to a constant, [n]. Absent if the prior is N(0, I). */
  tilt?(state: S, latents: Tensor2D): Tensor1D;
  /** The posterior chain of `infer`, from `start` [n, dim] instead of its own start. Absent if `infer` runs none. */
  chainFrom?(
    state: S,
    request: { readonly images: Tensor4D; readonly start: Tensor2D },
    noise: Noise,
  ): Tensor2D;
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

/** Capability of a model with latents whose prior p(z) = exp(-f(z)) / Z is learned from what training takes for its samples. */
export interface LearnedPrior<S extends Tree = Tree> {
  /** f(z) = -log p(z) up to a constant for each of `latents` [n, dim]: [n]. */
  energy(state: S, latents: Tensor2D): Tensor1D;
  /** Latents that training takes for samples of the prior: ends of its short chains, or outputs of its network. [count, dim]. */
  negatives(state: S, count: number, noise: Noise): Tensor2D;
  /** Ends of independent chains for the prior from N(0, I), long enough to forget their start within a mode. [count, dim]. */
  longChains(state: S, count: number, noise: Noise): Tensor2D;
}

/**
 * A Langevin chain that a model runs, z' = z - eta grad U(z) + sqrt(2 eta) xi, laid open so that the harness can measure
 * whether it still is a chain (`run/chain_health.ts`). A chain on weights w with a preconditioner G has this form in the
 * coordinates y of w = w_0 + G^(1/2) y.
 */
export interface LangevinChain<S extends Tree = Tree> {
  /** As in tables, unique in the model: `posterior`. */
  readonly name: string;
  /** K, steps from start to end. A chain on weights goes on as long as training: here the number of steps to look at. */
  readonly steps: number;
  /** The chain as it stands in `state`. */
  prepare(state: S, batch: Batch, noise: Noise): PreparedChain;
}

/** A chain before its first step. */
export interface PreparedChain {
  /** [count, d]: a chain for each image, or the only chain on weights. */
  readonly start: Tensor2D;
  /** eta. */
  readonly stepSize: number | Scalar;
  /**
   * U(z) in nats for each row of `z` [count, d], up to a constant: [count], or [count, terms] whose sums over the terms it
   * is, where float32 would round the sum of many terms by more than a step changes it.
   */
  energy(z: Tensor2D): Tensor1D | Tensor2D;
  /**
   * The next z of a rule other than Langevin's, such as one that is clipped or has no noise, from grad U(z) and standard
   * normal draws, all [count, d]. Absent for Langevin's rule, which acceptance, drift and virial presume: they are not
   * measured otherwise.
   */
  move?(z: Tensor2D, move: { readonly gradient: Tensor2D; readonly xi: Tensor2D }): Tensor2D;
  /** Of a chain on images: what its ends are compared with. */
  readonly images?: {
    /** The images of the batch as `energy` takes them, [m, d]. */
    readonly data: Tensor2D;
    /** The least and the largest value of a pixel. */
    readonly range: readonly [number, number];
  };
}

// ---------------------------------------------------------------- data sets

/** The two parts of a data set. */
export type Split = "train" | "test";

/** Some images, one byte a channel, [count, height, width, channels] row-major. */
export interface ImageBatch {
  readonly image: ImageShape;
  readonly count: number;
  readonly pixels: Uint8Array;
  /** The class of each image, or of samples the class asked for; absent where they have none. */
  readonly labels?: Uint8Array;
}

/** The decoded images of a part of a data set. */
export interface ImageSet extends ImageBatch {
  /** 1 for a seen pixel, 0 for a hidden one, [count, height, width]; absent where all are seen. */
  readonly seen?: Uint8Array;
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
  /** Shape of the published images, where they stand in the middle of a border of zeros: `@28` in a name asks for them. */
  readonly unpadded?: ImageShape;
  readonly counts: Readonly<Record<Split, number>>;
  /** Number of classes of its labels; absent if it has none. */
  readonly classCount?: number;
  readonly files: readonly DatasetFile[];
  /** The class that the training part lacks, to be found among the test images; absent for an ordinary data set. */
  readonly anomaly?: number;
  /** The part whose images have hidden pixels, `ImageSet.seen`; absent for an ordinary data set. */
  readonly hidden?: Split;
  /** Reads one part. Throws an Error that names the missing or broken file and says what to do. */
  load(split: Split): Promise<ImageSet>;
}

// ---------------------------------------------------------------- scores

/** Members of every score. */
export interface ScoreBase {
  readonly name: string;
  readonly label: string;
  readonly better: "lower" | "higher";
  /** Hash of the weights behind the score, if it has any: recorded with every run. */
  readonly sha256?: string;
  /** Further settings that the score depends on, recorded with every run: `{ mode: "tf", quantize: "bytes" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether it is a score of samples whose class is known: not asked of models that are not conditional. */
  readonly ofClasses?: boolean;
  /** Why the score cannot be used on this machine, with a hint, in one line; null or absent if it can. */
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
  /** The scores that share one pass over the images with this one; absent for a score by itself. */
  readonly family?: MetricFamily<Reference>;
}

/** A score under way. It keeps what it needs of the images, not the images: 50,000 need not be in memory at once. */
export interface Scoring extends AsyncDisposable {
  add(images: ImageBatch): Promise<void>;
  /** The score of all that was added. */
  finish(): Promise<number>;
}

/**
 * Scores that share one pass over the images: features are computed once for all of them. Each is a `Metric` of its own
 * (`harness/metrics/family.ts` makes one); a run that asks for several passes its images through the family once.
 */
export interface MetricFamily<Reference = unknown> {
  readonly name: string;
  /** Statistics of the real images, computed once. */
  reference(real: ImageSet, watcher?: ReferenceWatcher): Promise<Reference>;
  /** Begins the scores named `wanted` of images that come in batches. */
  begin(reference: Reference, wanted: readonly string[]): Promise<FamilyScoring>;
}

/** Scores of a family under way. */
export interface FamilyScoring extends AsyncDisposable {
  add(images: ImageBatch): Promise<void>;
  /** Scores of all images that were added. A wanted score is absent where the images are too few for it. */
  finish(): Promise<Findings>;
}

/** Scores of a family on one set of images. */
export interface Findings {
  /** Images in the set. */
  readonly count: number;
  /** Scores by name; also those that came with wanted ones. */
  readonly scores: Readonly<Record<string, number>>;
  /** Standard errors of scores over images, for those that have one. */
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Mean scores of sets of this size from the distribution of the real images, for scores whose mean is known. */
  readonly expected: Readonly<Record<string, number>>;
  /** Images by predicted class, in the classifier's order; absent without a classifier. */
  readonly classes?: Readonly<Record<string, number>>;
}

/** Findings on a model's samples, beside those on as many real images of the other part: what a perfect model would get. */
export interface FamilyRecord {
  readonly samples: Findings;
  readonly real: Findings;
}

/**
 * A score of the model itself, by `Likelihood.logWeight`: an upper bound on the mean of -log p(x) over the test images, in
 * nats per dimension. Not asked of models without a likelihood.
 */
export interface LikelihoodBound extends ScoreBase {
  /** k, the draws of z under one logarithm: 1 for the ELBO, more for the importance-weighted bound. */
  readonly importanceSamples: number;
}

/** A score of a run. */
export type Score = Metric | LikelihoodBound;

// ---------------------------------------------------------------- devices

/** Arrays that live where the steps run. */
export interface DeviceState {
  readonly specs: Readonly<Record<string, ArraySpec>>;
}

/** A pure function of a state and of inputs, to be compiled. */
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
  /** Number of GPUs that it found, of which it uses the first; undefined if unknown. */
  readonly gpuCount?: number;
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
