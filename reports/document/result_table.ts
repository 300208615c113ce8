import type { AnnealedSettings, MeanEstimate } from "../../harness/core/annealed.ts";
import type {
  Dataset,
  LikelihoodBound,
  Method,
  MetricFamily,
  ScoreBase,
} from "../../harness/core/types.ts";
import type {
  BoundBasis,
  ChainHealth,
  Diagnostics,
  Estimate,
  ImageChainHealth,
  Inpainting,
  PriorCheck,
  RunRecord,
} from "../../harness/core/records.ts";

import type { Verdict } from "../../harness/statistics/chain_health.ts";

/** The schema number of ResultTable as JSON; table.schema.json describes it. */
export const TABLE_SCHEMA = 2;

/** A metric as reports name it; of a bound on the likelihood with its k, of a family of scores with its name. */
export type MetricName =
  & Pick<ScoreBase, "name" | "label" | "better">
  & Partial<Pick<LikelihoodBound, "importanceSamples">>
  & { readonly family?: string };

/** Names in the order of rows and columns. */
export interface Names {
  readonly methods: readonly Pick<Method, "name" | "label" | "description">[];
  readonly datasets: readonly Pick<Dataset, "name" | "label">[];
  readonly metrics:
    readonly (Omit<MetricName, "family"> & { readonly family?: Pick<MetricFamily, "name"> })[];
}

/** Mean and spread of a number over seeds. */
export interface Spread {
  readonly mean: number;
  /** Sample standard deviation, with n - 1; null below two seeds. */
  readonly std: number | null;
  readonly n: number;
}

/** Seeds that a cell was asked for and does not have. */
export interface Shortfall {
  /** Seeds whose run has a record without the number, and why. */
  readonly lost: readonly { readonly seed: number; readonly why: string }[];
  /** Seeds that the run list names and that have no record; null where no run list covers the cell. */
  readonly missing: readonly number[] | null;
}

/** A number over seeds, seed by seed, and the seeds without it. */
export interface SeedCell extends Shortfall {
  /** Null when no seed has the number. */
  readonly mean: number | null;
  /** Sample standard deviation, with n - 1; null below two seeds. */
  readonly std: number | null;
  readonly n: number;
  readonly values: readonly {
    readonly seed: number;
    readonly value: number;
    /** The run's id, and its folder. */
    readonly run: string;
    /** Hashes of the code that trained and scored it, one unless it was resumed under other code; absent if unknown. */
    readonly code?: readonly string[];
  }[];
}

/** How a number compares with a published one. */
export interface Comparison {
  /** Where the published number is from: `the paper`. */
  readonly source: string;
  /** The published number as printed. */
  readonly printed: string;
  readonly verdict: "within" | "outside" | "not comparable";
  /** Why the two are not comparable, a few words each; empty if they are. */
  readonly reasons: readonly string[];
  /** Conditions that the source does not state: numbers are comparable as far as is known, not beyond. */
  readonly unknown: readonly string[];
  /**
   * Our mean minus the published one, in combined standard deviations sqrt(s^2 + s'^2); null where they are not
   * comparable, and for ratios, which are published without a deviation.
   */
  readonly distance: number | null;
}

/** A score on one data set, over seeds. */
export interface ScoreCell extends SeedCell {
  readonly metric: string;
  readonly dataset: string;
  /** The score of the initial states of the same seeds; null when none was scored. */
  readonly untrained: Spread | null;
  /** The score of decoded encodings of training images, what samples of a perfect prior would score; null when none was scored. */
  readonly decoded: Spread | null;
  /** The draws and images behind a bound on the likelihood, with the largest standard error of the seeds; null for other scores. */
  readonly basis: BoundBasis | null;
  /** Beside the published number for the same method, metric and data set; null when there is none. */
  readonly published: Comparison | null;
}

/** Seconds of a training epoch on one machine, over the epochs of all seeds without the warm-ups. */
export interface TimeCell {
  readonly dataset: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Epochs counted. */
  readonly n: number;
  /** Runs that they are from. */
  readonly runs: number;
  /** The machine: only times of one machine are comparable. */
  readonly machine: string;
  /** Whether the slowest epoch took more than 1.3 times the fastest: other programs shared the machine. */
  readonly busy: boolean;
  /** Beside the published seconds for the same method and data set; null when there are none. */
  readonly published: Comparison | null;
}

/** Mean squared error per pixel of reconstructed test images in [0, 1], over seeds. */
export interface ReconstructionCell extends SeedCell {
  readonly dataset: string;
}

/** How well a method finds the class that a data set holds out: averagePrecision over seeds. */
export interface AnomalyCell extends SeedCell {
  readonly dataset: string;
  /** The area of scores that say nothing. */
  readonly chance: number;
}

/** How well a method fills in the pixels that a data set hides: squared error over seeds. */
export interface InpaintingCell extends SeedCell {
  readonly dataset: string;
  /** Share of the pixels that is hidden. */
  readonly hiddenShare: number;
  /** Images. */
  readonly images: number;
  readonly floors: Inpainting["floors"];
}

/** Diagnostics of the amortized chains of a method: means over seeds. */
export interface AmortizationCell extends Omit<Diagnostics, "varianceRatio"> {
  readonly dataset: string;
  /** Mean over the seeds that have one, and their number; null when none has. */
  readonly varianceRatio: { readonly mean: number; readonly n: number } | null;
  /** Seeds. */
  readonly n: number;
}

/** Bits per dimension of test images under a sampler whose density is known, on one data set: over seeds. */
export interface DensityCell {
  readonly dataset: string;
  /** The row's label of the alternative with the density: `CoopFlow, its flow alone`. */
  readonly label: string;
  readonly mean: number;
  /** Sample standard deviation; null for one seed. */
  readonly std: number | null;
  /** Seeds. */
  readonly n: number;
}

/** Moments of a set of latents over seeds; null where no seed has a finite one. */
export interface MomentsCell {
  /** Mean of f(z) = -log p(z) up to a constant, nats. */
  readonly energy: Spread | null;
  /** Trace of the covariance. */
  readonly trace: Spread | null;
}

/** Health of one Langevin chain of a method: means over the seeds that have the number, null where none has. */
export interface ChainHealthCell
  extends Pick<ChainHealth, "chain" | "dimension" | "steps" | "stepSize"> {
  readonly dataset: string;
  /** eta L: the mean of the quantiles, and the largest of all. */
  readonly stability: ChainHealth["stability"];
  readonly acceptance: Estimate | null;
  readonly drift: Estimate | null;
  readonly virial: Estimate | null;
  /** Of a chain on images; null for others. */
  readonly images: ImageChainHealth | null;
  /** Of the worst seed, with its reasons. */
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  /** Seeds with this verdict. */
  readonly affected: number;
  /** Seeds. */
  readonly n: number;
}

/** Sets of latents that are alike if a learned prior is right, on one data set over seeds. */
export interface PriorCheckCell extends Readonly<Record<PriorCheckSet, MomentsCell>> {
  readonly dataset: string;
  /** Latents in each set. */
  readonly count: number;
  /** Seeds. */
  readonly n: number;
}

/** Names of the sets of latents. */
type PriorCheckSet = Exclude<keyof PriorCheck, "count">;

/** Findings of a family of scores on the samples of one row on one data set. */
export interface SampleCell {
  readonly dataset: string;
  readonly family: string;
  /** Seeds. */
  readonly n: number;
  /** Shares of the predicted classes among the samples of all seeds, in the classifier's order; empty without a classifier. */
  readonly classes: Readonly<Record<string, number>>;
  /** Standard errors of scores over images, the largest of the seeds. */
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Faults of the samples, such as `collapsed`, with the seeds and the evidence. */
  readonly marks: readonly {
    readonly mark: "collapsed" | "too alike" | "unlike real images";
    readonly seeds: readonly { readonly seed: number; readonly seen: string }[];
  }[];
}

/** Findings of a family of scores on other real images, which a perfect model would match. */
export interface RealCell {
  readonly dataset: string;
  readonly family: string;
  /** Images of a seed: as many as there are samples. */
  readonly count: number;
  /** Over seeds, by score. */
  readonly scores: Readonly<Record<string, Spread>>;
  /** Mean scores of equal distributions at these numbers of images, for scores whose mean is known. */
  readonly expected: Readonly<Record<string, number>>;
  /** Shares of the predicted classes. */
  readonly classes: Readonly<Record<string, number>>;
}

/** One method under one set of conditions, sampled in one way. A method may have several rows. */
/** One statistic of a calibration, over seeds. */
export interface StatisticCell {
  /** As in the records: `logJoint`. */
  readonly statistic: string;
  /** Means over seeds of the signed-rank z and of the effect 2 P(T(z') > T(z)) - 1. */
  readonly z: number;
  readonly effect: number;
  /** The smallest p-value of a seed: of the signed-rank test, and of the sign test. */
  readonly p: number;
  readonly signP: number;
  /** Differences that are exactly 0, of all seeds. */
  readonly ties: number;
  /** Counts of signed ranks, summed over seeds. */
  readonly histogram: readonly number[];
}

/** Simulation-based calibration of one way to draw z' for one row on one data set, over seeds. */
export interface CalibrationCell {
  readonly dataset: string;
  /** `infer`: by the method's inference; `fromTruth`: by its chain from the true z. */
  readonly start: "infer" | "fromTruth";
  /** Simulated images of a seed, N. */
  readonly images: number;
  /** Seeds. */
  readonly n: number;
  /** Seeds in which a statistic is beyond the level shared by all five, or a draw was not finite. */
  readonly rejected: number;
  /** Simulated images of all seeds that were left out because a number was not finite. */
  readonly notFinite: number;
  readonly priorIsExact: boolean;
  /** Half the width of the effect's 95 % null band for one seed; half of that is the band of the KS distance. */
  readonly band: number;
  /** The smallest effect that the test of one seed finds with power 0.99. */
  readonly smallestEffect: number;
  readonly statistics: readonly StatisticCell[];
}

/** log p(x) of test images by annealed importance sampling for one row on one data set, over seeds; nats an image. */
export interface AnnealedCell {
  readonly dataset: string;
  readonly settings: AnnealedSettings;
  /** Lower bounds on the mean of log p(x), less the upper estimate of log Z where the prior is learned: over seeds. */
  readonly bound: Spread;
  /** Root mean square over seeds of the standard error: of the chains, and over images. */
  readonly chainsError: number;
  readonly imagesError: number;
  /** Largest standard error of the chains for one image. */
  readonly largestError: number;
  /** Upper minus lower bound on simulated images, mean over seeds, and the standard error of that mean. */
  readonly gap: MeanEstimate;
  /** Estimates of log Z from below and above, means over seeds; null where the prior is N(0, I). */
  readonly normaliser: { readonly lower: number; readonly upper: number } | null;
  readonly acceptance: number;
  /** Pixels of an image times channels. */
  readonly dimensions: number;
}

/** One method under one set of conditions. A method may have several rows. */
export interface Row {
  /** Unique among the rows. */
  readonly key: string;
  readonly method: string;
  readonly label: string;
  readonly description: string;
  /** Conditions that distinguish this row from the others of its method, as `epochs = 5`; empty for the only one. */
  readonly variant: string;
  /**
   * The way of sampling, where it is not the method's own: the name of one of the model's alternatives. Such a row follows
   * that of its training, and has scores alone.
   */
  readonly alternative: string | null;
  readonly scores: readonly ScoreCell[];
  /** Empty where no score has a family. */
  readonly samples: readonly SampleCell[];
  readonly times: readonly TimeCell[];
  /** One cell for each data set with runs. */
  readonly reconstructions: readonly ReconstructionCell[];
  /** Of latents that the method fits to each image; empty for methods that only draw. */
  readonly fits: readonly ReconstructionCell[];
  /** Areas under the precision-recall curve for a held-out class; empty unless a data set holds one out. */
  readonly anomaly: readonly AnomalyCell[];
  /** Empty unless a data set hides pixels, and for methods that do not fill them in. */
  readonly inpainting: readonly InpaintingCell[];
  /** Empty for methods whose chains do not share weights. */
  readonly amortization: readonly AmortizationCell[];
  /** Empty for methods without a learned prior. */
  readonly priorCheck: readonly PriorCheckCell[];
  /** Empty for methods without a sampler of known density. */
  readonly densities: readonly DensityCell[];
  /** Empty for methods without Langevin chains. */
  readonly chainHealth: readonly ChainHealthCell[];
  /** Empty for methods that cannot be simulated. */
  readonly calibration: readonly CalibrationCell[];
  /** Empty unless `deno task likelihood` ran; one cell for each data set and setting. */
  readonly annealed: readonly AnnealedCell[];
}

/** A ratio of seconds per epoch between two rows that are alike in all but the method. */
export interface RatioCell {
  /** Keys of two rows. */
  readonly numerator: string;
  readonly denominator: string;
  readonly dataset: string;
  /** The machine of both; null where there is no ratio. */
  readonly machine: string | null;
  /** The ratio of the medians; null where the rows are not alike, or one has no time. */
  readonly ratio: number | null;
  /** The smallest and the largest ratio of a run of one to a run of the other, each by its median; null without a ratio, and below two runs of either. */
  readonly range: readonly [number, number] | null;
  /** Why there is no ratio, a few words each; empty if there is one. */
  readonly reasons: readonly string[];
  /** Chain lengths that differ from those that the published ratio assumes: `posteriorSteps 5 (20 in LEBM's code)`. */
  readonly caveats: readonly string[];
  /** Beside the published ratio. */
  readonly published: Comparison;
}

/** Everything that a report shows: plain data, the same for every form of it. */
export interface ResultTable {
  readonly schema: typeof TABLE_SCHEMA;
  readonly experiments: readonly string[];
  readonly datasets: Names["datasets"];
  readonly metrics: readonly MetricName[];
  readonly rows: readonly Row[];
  /** Real images beside the samples; empty where no score has a family. */
  readonly real: readonly RealCell[];
  readonly ratios: readonly RatioCell[];
  /** Settings of the runs, each with its distinct values. */
  readonly settings: Readonly<Record<string, readonly string[]>>;
  /** Hyperparameters by method, each with its distinct values. */
  readonly hyper: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly provenance: Readonly<Record<string, readonly string[]>>;
  /** Records by how their runs ended. */
  readonly runs: Readonly<Record<RunRecord["status"], number>>;
  /** Runs that the run list names, and those among them without a record; null when there is no run list. */
  readonly runList: { readonly asked: number; readonly missing: number } | null;
}
