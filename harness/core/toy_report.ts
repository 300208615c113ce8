/**
 * Results of the toy suite: plain values, from which tables and figures are made.
 *
 * @module
 */
import type { SamplerSettings } from "./toy_types.ts";
import type { Hyperparams } from "./types.ts";

/** Scores by the metric's name. */
export type Scores = Readonly<Record<string, number>>;

/** `pass` and `fail` of a gate; `shown` where there is none. */
export type Verdict = "pass" | "fail" | "shown";

/** One line of the toy table. */
export interface ToyRow {
  readonly experiment: string;
  readonly sampler: string;
  readonly metric: string;
  readonly value: number | null;
  /** Mean score of independent draws of the same effective size. */
  readonly exact: number | null;
  /** Sampling error of the value: the standard deviation over sets of such draws. */
  readonly error: number | null;
  /** The gate, either end of which may be open. */
  readonly low: number | null;
  readonly high: number | null;
  readonly verdict: Verdict;
}

/** The spectrum of K = G G', the Gram matrix of the features by which steps on a last layer move z, and what follows from it. Medians over chains. */
export interface GramSpectrum {
  /** Eigenvalues of K. */
  readonly least: number;
  readonly median: number;
  readonly largest: number;
  /** Eigenvalues above a millionth of the largest. */
  readonly rank: number;
  /** eta lambda_max(K) P_max, which has to be below 2; null where no precision P is known. */
  readonly stability: number | null;
  /** Steps 1 / (eta lambda_min(K) P_min) in which the slowest direction forgets; null as above. */
  readonly slowest: number | null;
}

/** A sampler on a target: its rows, and what figures need. */
export interface ToyRun {
  readonly experiment: string;
  readonly sampler: string;
  readonly label: string;
  readonly settings: SamplerSettings;
  readonly rows: readonly ToyRow[];
  /** Scores of each posterior by itself. */
  readonly posteriors: readonly Scores[];
  /** Why nothing is gated, if so. */
  readonly note: string | null;
  readonly seconds: number;
  readonly chainStepsPerSecond: number;
  /** Gradients of the energy of all points in one chain. */
  readonly gradients: number;
  /** Of an amortized sampler. */
  readonly gram: GramSpectrum | null;
  /** Draws of each posterior for figures, [x, y] or [x], at most `SHOWN` of them. */
  readonly shown: readonly (readonly (readonly number[])[])[];
}

/** Posterior variance of a point against what its features allow. */
export interface GapPoint {
  readonly width: number;
  readonly chain: number;
  readonly point: number;
  /** h_ii, the diagonal of the projection on the features' columns; 1 for width >= points. */
  readonly leverage: number;
  /** tr(P C_i) / dim: measured variance over the posterior's. */
  readonly varianceRatio: number;
  /** Independent draws that the chain is worth here. */
  readonly effectiveSize: number;
}

/** The sweep: a row for each width, and the points of Fig. 5. */
export interface GapSweep {
  readonly rows: readonly ToyRow[];
  readonly points: readonly GapPoint[];
}

/** A default chain of a method, with the hyperparameters that it ran with. */
export interface CertifiedChain {
  readonly name: string;
  readonly label: string;
  readonly rule: string;
  readonly hyper: Hyperparams;
  readonly rows: readonly ToyRow[];
}

/** How chains find the posterior from a standard normal start. Paper, Fig. 3. */
export interface Convergence {
  readonly sampler: string;
  readonly label: string;
  readonly stepSize: number;
  /** First step at which means over 16 chains and the last 100 steps are within 0.5 sd of the truth for 90 % of the points; null: never. */
  readonly t90: number | null;
  /** Gradients of all points up to then, of one chain. */
  readonly gradients: number | null;
  /** z of the first point by step, every `stride` steps. */
  readonly trace: readonly number[];
  readonly stride: number;
  readonly mean: number;
  readonly std: number;
}

/** Stationary variance of an integrator on N(0, 1) at one step size. */
export interface BiasPoint {
  readonly sampler: string;
  readonly label: string;
  readonly stepSize: number;
  /** Measured variance - 1. */
  readonly bias: number;
  /** Standard error of `bias`. */
  readonly error: number;
  /** By theory; null where there is none. */
  readonly theory: number | null;
  readonly gradientsPerStep: number;
}

/** Log-log slopes of the bias over the step size, through the points whose bias is more than three standard errors. */
export interface BiasSlope {
  readonly sampler: string;
  readonly label: string;
  /** Null for fewer than two points. */
  readonly measured: number | null;
  /** Standard error of `measured`. */
  readonly error: number | null;
  /** Of the closed form through the same points; null where there is none. */
  readonly theory: number | null;
  /** As steps shrink. */
  readonly order: number;
  readonly points: number;
}

/** A scalar Gaussian posterior for figures. */
export interface ShownNormal {
  readonly experiment: string;
  readonly posterior: number;
  readonly mean: number;
  readonly std: number;
}

/** The density of one posterior for figures, of its first two coordinates: [cells * cells] over its greatest, row-major in x then y. */
export interface ShownDensity {
  readonly experiment: string;
  readonly posterior: number;
  readonly extent: number;
  readonly cells: number;
  readonly values: readonly number[];
}

/** Everything that one run of the suite found. */
export interface ToyReport {
  readonly schema: 1;
  readonly seed: number;
  readonly device: string;
  readonly seconds: number;
  /** Names and labels of the targets, in the order of tables. */
  readonly targets: readonly {
    readonly name: string;
    readonly label: string;
    readonly source: string;
    readonly deviations: readonly string[];
  }[];
  readonly metrics: readonly { readonly name: string; readonly label: string }[];
  readonly runs: readonly ToyRun[];
  readonly gap: GapSweep;
  /** The default chains of the methods. */
  readonly chains: readonly CertifiedChain[];
  /** Single moves of each rule on each target. */
  readonly moves: readonly ToyRow[];
  readonly convergence: readonly Convergence[];
  readonly bias: readonly BiasPoint[];
  readonly slopes: readonly BiasSlope[];
  readonly densities: readonly ShownDensity[];
  readonly normals: readonly ShownNormal[];
}
