import type {
  BoundBasis,
  Dataset,
  Diagnostics,
  LikelihoodBound,
  Method,
  RunRecord,
  ScoreBase,
} from "../../harness/core/types.ts";
import type { Published } from "../published/paper.ts";

/** The schema number of ResultTable as JSON; table.schema.json describes it. */
export const TABLE_SCHEMA = 1;

/** A metric as reports name it; of a bound on the likelihood with its k. */
export type MetricName =
  & Pick<ScoreBase, "name" | "label" | "better">
  & Partial<Pick<LikelihoodBound, "importanceSamples">>;

/** What a report may show, in the order of rows and columns. */
export interface Names {
  readonly methods: readonly Pick<Method, "name" | "label" | "description">[];
  readonly datasets: readonly Pick<Dataset, "name" | "label">[];
  readonly metrics: readonly MetricName[];
}

/** A score of one method on one data set, over seeds. */
export interface ScoreCell {
  readonly metric: string;
  readonly dataset: string;
  /** Null when no seed was completed. */
  readonly mean: number | null;
  /** Of the sample, with n - 1; null below two seeds. */
  readonly std: number | null;
  readonly n: number;
  readonly values: readonly {
    readonly seed: number;
    readonly value: number;
    /** The run's id, and its folder. */
    readonly run: string;
  }[];
  /** Mean of the scores of the initial state over the same seeds; null when not scored. */
  readonly untrained: number | null;
  /** Seeds without a score, and why. */
  readonly lost: readonly { readonly seed: number; readonly why: string }[];
  /** Of a bound on the likelihood: what it rests on, with the largest standard error of the seeds; null otherwise. */
  readonly basis: BoundBasis | null;
  /** The paper's number for the same metric and data set; null when it has none. */
  readonly paper: Published | null;
}

/** Seconds of a training epoch, over the epochs of all seeds without the warm-ups. */
export interface TimeCell {
  readonly dataset: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Epochs counted. */
  readonly n: number;
  /** The machine: times compare within one only. */
  readonly machine: string;
}

/** Mean squared error per pixel of reconstructed test images in [0, 1], over seeds. */
export interface ReconstructionCell {
  readonly dataset: string;
  readonly mean: number;
  /** Of the sample, with n - 1; null below two seeds. */
  readonly std: number | null;
  readonly n: number;
}

/** How freely the amortized chains of a method moved: means over seeds, the variance ratio's over those that have one. */
export interface FreedomCell extends Diagnostics {
  readonly dataset: string;
  /** Seeds. */
  readonly n: number;
}

/** One method, at one set of settings. */
export interface Row {
  readonly method: string;
  readonly label: string;
  readonly description: string;
  /** What distinguishes this row from the method's first, as `epochs = 5`; empty for the first. */
  readonly variant: string;
  readonly scores: readonly ScoreCell[];
  readonly times: readonly TimeCell[];
  readonly reconstructions: readonly ReconstructionCell[];
  /** Of methods whose chains share weights. */
  readonly freedom: readonly FreedomCell[];
}

/** A ratio of seconds per epoch beside the paper's. */
export interface RatioCell {
  readonly numerator: string;
  readonly denominator: string;
  readonly dataset: string;
  /** Null when a time is missing, or the two are of different machines. */
  readonly ratio: number | null;
  readonly paper: number;
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
  /** Runs by how they ended. */
  readonly runs: Readonly<Record<RunRecord["status"], number>>;
}
