import type {
  BoundBasis,
  Dataset,
  Diagnostics,
  LikelihoodBound,
  Method,
  RunRecord,
  ScoreBase,
} from "../../harness/core/types.ts";

/** The schema number of ResultTable as JSON; table.schema.json describes it. */
export const TABLE_SCHEMA = 2;

/** A metric as reports name it; of a bound on the likelihood with its k. */
export type MetricName =
  & Pick<ScoreBase, "name" | "label" | "better">
  & Partial<Pick<LikelihoodBound, "importanceSamples">>;

/** Names in the order of rows and columns. */
export interface Names {
  readonly methods: readonly Pick<Method, "name" | "label" | "description">[];
  readonly datasets: readonly Pick<Dataset, "name" | "label">[];
  readonly metrics: readonly MetricName[];
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
  /** Beside the published seconds for the same method and data set; null when there are none. */
  readonly published: Comparison | null;
}

/** Mean squared error per pixel of reconstructed test images in [0, 1], over seeds. */
export interface ReconstructionCell extends SeedCell {
  readonly dataset: string;
}

/** Diagnostics of the amortized chains of a method: means over seeds. */
export interface AmortizationCell extends Omit<Diagnostics, "varianceRatio"> {
  readonly dataset: string;
  /** Mean over the seeds that have one, and their number; null when none has. */
  readonly varianceRatio: { readonly mean: number; readonly n: number } | null;
  /** Seeds. */
  readonly n: number;
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
  readonly scores: readonly ScoreCell[];
  readonly times: readonly TimeCell[];
  /** One cell for each data set with runs. */
  readonly reconstructions: readonly ReconstructionCell[];
  /** Empty for methods whose chains do not share weights. */
  readonly amortization: readonly AmortizationCell[];
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
  readonly metrics: Names["metrics"];
  readonly rows: readonly Row[];
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
