/**
 * Experiments, the runs that they resolve to, and the records of runs.
 *
 * @module
 */
import type { FamilyRecord, Hyperparams, ImageShape } from "./types.ts";

/** Settings that all runs of an experiment share. */
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
  /** Samples are also scored after every so many epochs, for learning curves; absent if they are not. */
  readonly scoreEvery?: number;
  /** `cpu`, `tfjs-cpu`, ...: devices do not agree to the last bit, so it is part of the identity. */
  readonly device: string;
  /** Threads of the device: part of the identity for the same reason, on devices whose bits depend on them. */
  readonly threads: number;
}

/** A module outside the project that defines a run's method or data set, and what reports need of the entry. */
export interface UserModule {
  /** Absolute path of the file. It does not count in the run's id: a moved file is the same code. */
  readonly path: string;
  /** SHA-256 of the file and of the user's files that it imports, without comments and types. Counts in the run's id. */
  readonly sha256: string;
  /** The entry's label in reports. */
  readonly label: string;
  /** Of a method. */
  readonly description?: string;
  /** Of a data set. */
  readonly image?: ImageShape;
}

/** One run, resolved: everything that its numbers depend on. Its hash is the run's id (`experiment/spec.ts`). */
export interface RunSpec extends RunSettings {
  readonly method: string;
  readonly dataset: string;
  readonly seed: number;
  readonly hyper: Hyperparams;
  /** The modules that define the method and the data set; absent if both are in the tables of the project. */
  readonly modules?: { readonly method?: UserModule; readonly dataset?: UserModule };
}

/** A preset, after the command line's overrides. */
export interface Experiment extends RunSettings {
  readonly name: string;
  readonly methods: readonly string[];
  readonly datasets: readonly string[];
  readonly seeds: readonly number[];
  /**
   * Overrides of defaults by method, and by METHOD@DATASET; those under `*`, and `*@DATASET`, hold for every method that has
   * the key.
   */
  readonly hyper: Readonly<Record<string, Hyperparams>>;
  /** Paths of the user's modules that define some of the methods and data sets; absent if none does. */
  readonly modules?: readonly string[];
}

/** One epoch of training as recorded. */
export interface EpochRecord {
  /** From 0. */
  readonly epoch: number;
  /** On the training clock; compilation and checkpoints are not in it. */
  readonly seconds: number;
  /** Processor seconds of all threads of the process meanwhile; absent from older records. */
  readonly cpuSeconds?: number;
  /** Load average of the machine over the minute before the end of the epoch; absent where it is unknown. */
  readonly load?: number;
  /** The first epoch of a process, slower than the rest: left out of the statistics of seconds per epoch. */
  readonly warmup: boolean;
  readonly steps: number;
  /** Mean over the epoch's steps. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Scores of samples after the epoch, where the spec has `scoreEvery`; those after the last epoch are the run's. */
  readonly scores?: Readonly<Record<string, number>>;
  /**
   * The chains after the epoch, on a few images. Absent for the last epoch, after which the run's `chainHealth` is measured,
   * for models without chains, and from older records.
   */
  readonly chainHealth?: readonly ChainHealth[];
}

/** The code and data that a run executed, as hashes (`experiment/run_code.ts`). */
export interface RunCode {
  /** Of `parts`. */
  readonly sha256: string;
  /** Hashes of the modules that the run could reach, by path, and of its data set's pixels; empty for packages, named with their version. */
  readonly parts: Readonly<Record<string, string>>;
  /** Hashes of other code that trained the run before it was resumed with --accept-code; absent if there is none. */
  readonly earlier?: readonly string[];
}

/** The machine that computed a number, and the runs that shared it. */
export interface Machine {
  /** The name of the machine; absent from older records. */
  readonly host?: string;
  readonly device: string;
  readonly cpu: string;
  readonly cores: number;
  /** Number of parallel runs on the machine: timings with different `jobs` are not comparable. */
  readonly jobs: number;
  readonly os: string;
}

/** The part of a run that one process trained: up to the start of the next segment. */
export interface Segment {
  /** Where the process took over: epochs, and steps of the next one, that were done before. */
  readonly epoch: number;
  readonly step: number;
  readonly startedAt: string;
  readonly machine: Machine;
}

/** Where a number came from: recorded, never hashed into the id. Its machine is that of the run's last process. */
export interface Provenance extends Machine {
  /** Absent from records of older versions. */
  readonly code?: RunCode;
  readonly commit: string | null;
  readonly dirty: boolean | null;
  readonly lockSha256: string;
  readonly versions: Readonly<Record<string, string>>;
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

/** Moments of a set of latents; null where they are not finite. */
export interface LatentMoments {
  /** Mean of f(z) = -log p(z) up to a constant, nats. */
  readonly energy: number | null;
  /** Trace of the sample covariance. */
  readonly trace: number | null;
}

/** Three sets of latents, alike if a learned prior is right: its negatives follow it, and it matches the posteriors. */
export interface PriorCheck {
  /** Latents in each set. */
  readonly count: number;
  /** One draw from the posterior of each of `count` training images. */
  readonly posterior: LatentMoments;
  /** Latents that training takes for samples of the prior. */
  readonly negatives: LatentMoments;
  /** Ends of long chains for the prior. */
  readonly longChains: LatentMoments;
}

/**
 * How well a Langevin chain samples, measured after training. A number is null where the chain left the range of float32.
 * `harness/statistics/chain_health.ts` has the definitions, their distributions at rest, and the thresholds.
 */
export interface ChainHealth {
  /** Name of the chain: `posterior`. */
  readonly chain: string;
  /** Chains measured. */
  readonly count: number;
  readonly dimension: number;
  readonly steps: number;
  readonly stepSize: number;
  /** eta L: the step size times the largest curvature of the energy at either end of each chain, that of lower energy. */
  readonly stability: { readonly quantile90: number; readonly largest: number } | null;
  /** Mean acceptance that a Metropolis test would give over the last half of the steps; absent unless the rule is Langevin's. */
  readonly acceptance?: Estimate | null;
  /** Change of the energy over the last half of the steps, nats; absent for a single chain. */
  readonly drift?: Estimate | null;
  /** (z . g - (eta / 2) |g|^2) / d over the last half of the steps, 1 at rest; absent for a single chain. */
  readonly virial?: Estimate | null;
  /** Absent for chains on other things than images. */
  readonly images?: ImageChainHealth;
}

/** How far a chain on images goes, and what it reaches. Means over chains; null where one is not finite. */
export interface ImageChainHealth {
  /** U in nats, up to the same constant, of training images, and of chains at their start and end. */
  readonly energy: Readonly<Record<"data" | "start" | "end", Estimate | null>>;
  /** |grad U| of chains at their start and end. */
  readonly gradientNorm: Readonly<Record<"start" | "end", number | null>>;
  /** Share of pixels at the least or the largest value, or beyond. */
  readonly saturated: Readonly<Record<"data" | "start" | "end", number | null>>;
  /** Root mean square over pixels of the way from start to end, as a share of the range of a pixel. */
  readonly distance: number | null;
}

/** A mean over chains with its standard error, null for a single chain. */
export interface Estimate {
  readonly mean: number;
  readonly standardError: number | null;
}

/** A test that paired differences are symmetric about 0 (`statistics/symmetry_tests.ts`). */
export interface RankTest {
  /** Wilcoxon's signed-rank statistic, about N(0, 1) if inference is right, and its two-sided p-value. */
  readonly z: number;
  readonly p: number;
  /** Two-sided p-value of the sign test. */
  readonly signP: number;
  /** 2 P(T(z') > T(z)) - 1: 0 if inference is right. Half of its size is the Kolmogorov-Smirnov distance of one-draw ranks. */
  readonly effect: number;
  /** Differences that are exactly 0. */
  readonly ties: number;
  /** Counts of signed ranks in equal bins of [-1, 1]: flat if inference is right. */
  readonly histogram: readonly number[];
}

/** Simulation-based calibration of one way to draw z'. */
export interface CalibrationTests {
  /** Simulated images left out because a latent or a statistic was not finite. */
  readonly notFinite: number;
  /** By statistic T(z, x); null if no image is left. */
  readonly tests: Readonly<Record<string, RankTest>> | null;
}

/** Simulation-based calibration of inference, after training (`run/calibration.ts`). */
export interface Calibration {
  /** N, simulated images, one draw each. */
  readonly images: number;
  /** Whether z was drawn from p(z) itself, not by a chain. */
  readonly priorIsExact: boolean;
  /** z' by the method's `infer`. */
  readonly infer: CalibrationTests;
  /** z' by the chain of `infer`, started at the true z; absent if `infer` runs no chain. */
  readonly fromTruth?: CalibrationTests;
}

/** The draws and images behind a LikelihoodBound. */
export interface BoundBasis {
  /** k. */
  readonly importanceSamples: number;
  /** Draws of z for each image, in groups of k. */
  readonly draws: number;
  /** Test images. */
  readonly images: number;
  /** Of the mean over images, nats per dimension. */
  readonly standardError: number;
  /** Gradients of log p(x, z) that a draw costs; absent where it costs none, and from older records. */
  readonly gradientsPerDraw?: number;
}

/** How well a model tells a class that it was not trained on. */
export interface Anomaly {
  /** The class. */
  readonly heldOut: number;
  /** Area under the precision-recall curve of -log p(x, z) for the test images of the class. */
  readonly averagePrecision: number;
  /** Share of the class in the test images: the area of scores that say nothing. */
  readonly chance: number;
}

/** How well a model fills in hidden pixels of images. */
export interface Inpainting {
  /** Images, the first that have hidden pixels. */
  readonly images: number;
  /** Share of their pixels that is hidden. */
  readonly hiddenShare: number;
  /**
   * Mean squared error per hidden pixel in [0, 1], at one posterior draw given the seen pixels of each image, or at what a
   * model without latents fits to them.
   */
  readonly squaredError: number;
  /** The same of fillings that need no model: the mean of the training images' seen pixels, and a blur of the image's own. */
  readonly floors: { readonly meanImage: number; readonly blur: number };
}

/** Scores of samples drawn in another way than the method's own. */
export interface AlternativeScores {
  /** The row's label in reports. */
  readonly label: string;
  readonly scores: Readonly<Record<string, number>>;
  /** Scores of the initial state, sampled in the same way; empty if not asked for. */
  readonly untrained: Readonly<Record<string, number>>;
  /** As `families` of the run's record. */
  readonly families?: Readonly<Record<string, FamilyRecord>>;
  /** -log2 p(x) of test images per dimension, where the samples' own density is known; its standard error is over images. */
  readonly bitsPerDim?: Estimate;
  /** Why there are no scores; absent if there are. */
  readonly error?: string;
}

/** The training step in which a metric was not finite or beyond its limit (`run/divergence.ts`). */
export interface Divergence {
  /** Its number in the epoch, from 1. */
  readonly step: number;
  /** Its metrics; null for those that are not finite. */
  readonly metrics: Readonly<Record<string, number | null>>;
  /** The metrics of the step before; null for the first step of an epoch. */
  readonly lastFinite: Readonly<Record<string, number>> | null;
  /**
   * Of the last step before it, in the epoch and since the last checkpoint, at which they were all finite; null if there was
   * none.
   */
  readonly norms: NormsAtStep | null;
}

/** Euclidean norms at a training step, by the names of the state's tensors. */
export interface NormsAtStep {
  /** Its number in the epoch, from 1. */
  readonly step: number;
  /** Of the tensors before the step. */
  readonly state: Readonly<Record<string, number>>;
  /** Of their changes by it. */
  readonly change: Readonly<Record<string, number>>;
  /** Of the gradients in them that the step took first; those inside a loop of the step are absent. */
  readonly gradient: Readonly<Record<string, number>>;
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
  /** The processes that made the run, in order; absent from older records, whose machine is that of the provenance. */
  readonly segments?: readonly Segment[];
  readonly seconds: Seconds;
  readonly epochs: readonly EpochRecord[];
  /** How earlier processes of the run crashed in this sweep, one sentence each; absent if none did. */
  readonly crashes?: readonly string[];
}

/** One line of results.jsonl. */
export type RunRecord =
  & RunRecordBase
  & (
    | {
      readonly status: "completed";
      readonly scores: Readonly<Record<string, number>>;
      readonly untrained: Readonly<Record<string, number>>;
      /** By the names of the model's alternatives; absent if it has none. */
      readonly alternatives?: Readonly<Record<string, AlternativeScores>>;
      /**
       * Scores of decoded encodings, one posterior draw for each of `sampleCount` training images: what samples of a perfect
       * prior would score. Absent for models without latents, and from older records.
       */
      readonly decodedScores?: Readonly<Record<string, number>>;
      /** Of the scores that are bounds on the likelihood; absent if none is. */
      readonly bounds?: Readonly<Record<string, BoundBasis>>;
      /** Mean squared error per pixel of test images in [0, 1] made from one posterior draw each; absent from older records. */
      readonly reconstructionError?: number;
      /** The same at what the method fits to each image, latents or the start of a chain; absent for methods that only draw. */
      readonly fitError?: number;
      /** Absent unless the data set holds out a class, and for models without a joint density. */
      readonly anomaly?: Anomaly;
      /** Absent unless the data set hides pixels, and for models that do not infer from the seen ones. */
      readonly inpainting?: Inpainting;
      /** By family of scores; absent if no score has one, and from older records. */
      readonly families?: Readonly<Record<string, FamilyRecord>>;
      /** How freely amortized chains move; absent for methods without them. */
      readonly diagnostics?: Diagnostics;
      /** Absent for models without a learned prior, and from older records. */
      readonly priorCheck?: PriorCheck;
      /** One entry a Langevin chain of the model; absent if it has none, and from older records. */
      readonly chainHealth?: readonly ChainHealth[];
      /** Absent for models without `joint` and `latents`, and from older records. */
      readonly calibration?: Calibration;
    }
    | {
      readonly status: "diverged";
      readonly epoch: number;
      /** The training metric or score that was not finite or beyond its limit, or `samples`. */
      readonly metric: string;
      /** The step at fault; absent if training had ended, and from older records. */
      readonly divergence?: Divergence;
      /** The limit that the metric exceeded; absent if it was not finite. */
      readonly limit?: number;
    }
    | { readonly status: "failed"; readonly error: string }
    | { readonly status: "interrupted" }
  );
