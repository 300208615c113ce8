/**
 * Interfaces of the toy posteriors (paper, section 6.1): a target says what is sampled, a sampler how.
 *
 * @module
 */
import type { Scalar, Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs";
import type { HostArray, HostArrays, Hyperparams, Matrix, Noise, State } from "./types.ts";

/** A fully-connected network that amortized samplers put below their last layer: He-normal weights, no bias. */
export interface Encoder {
  /** Hidden layers, the last of which makes the features. */
  readonly depth: number;
  readonly width: number;
  readonly activation: "relu" | "tanh";
}

/** Posteriors N(means[i], covariance), known exactly. */
export interface GaussianAnswer {
  readonly kind: "gaussian";
  /** [points][dim]. */
  readonly means: Matrix;
  /** [dim][dim], the same for all points. */
  readonly covariance: Matrix;
}

/** Mean [dim] and covariance [dim][dim] of a Gaussian. */
export interface GaussianFit {
  readonly mean: readonly number[];
  readonly covariance: Matrix;
}

/** Two-dimensional posteriors, to be tabulated on a square grid. */
export interface GridAnswer {
  readonly kind: "grid";
  /** The square is [-extent, extent]^2; what lies outside should not matter. */
  readonly extent: number;
  /** Cells along an axis. */
  readonly cells: number;
  /** Whether all points have the same density: draws of all points are then pooled. */
  readonly shared: boolean;
  /** Centres of the modes and the standard deviation about them, if known. */
  readonly modes?: { readonly centres: Matrix; readonly std: number };
}

/** A posterior that is the image of N(0, I) under an invertible map T: it is judged in the coordinates xi = T^-1(z). */
export interface TransportAnswer {
  readonly kind: "transport";
  /** z = T(xi), [dim]. */
  draw(xi: readonly number[]): number[];
  /** xi = T^-1(z), [dim]. */
  whiten(z: readonly number[]): number[];
  /** E U of the posterior, U = -log density up to the target's constant. */
  readonly energy: number;
  /** E z, [dim]. */
  readonly mean: readonly number[];
  /** [dim][dim]. */
  readonly covariance: Matrix;
}

/** How long chains run on a target: steps count from the start, `burnIn` of them are thrown away. */
export interface RunLength {
  readonly chains: number;
  readonly steps: number;
  readonly burnIn: number;
  /** Every so many steps a draw is kept. */
  readonly thin: number;
}

/** Posteriors of `points` observations, or `points` copies of one density: a value; it owns no loop and no clock. */
export interface Target {
  readonly name: string;
  readonly label: string;
  /** Paper, section; how gaps in it were filled. */
  readonly source: string;
  readonly deviations: readonly string[];
  /** Observations n, each with a posterior of its own; for one density, the fixed inputs k of a sampler network. */
  readonly points: number;
  /** Dimension of z. */
  readonly dim: number;
  /** Inputs of an encoder, [points][inputDim]. */
  readonly inputs: Matrix;
  readonly encoder: Encoder;
  /** Length-scale of random Fourier features, where the encoder's have too low a rank to be whitened. */
  readonly fourierScale?: number;
  /** Arrays that `logDensity` needs, as weights of a network. */
  readonly parameters: HostArrays;
  /** log density of z [chains, points, dim] up to a constant of each point: [chains, points]. */
  logDensity(z: Tensor3D, parameters: State): Tensor2D;
  readonly answer: GaussianAnswer | GridAnswer | TransportAnswer;
  /** Why a sampler of the suite cannot be held to the truth here, in a sentence; null or absent if it can. */
  ungated?(sampler: SamplerTheory): string | null;
  /** Root mean square of a coordinate of the gradient under the posterior: sqrt(P) for a Gaussian of precision P. */
  readonly gradientScale: number;
  /** eta of Euler-Maruyama. */
  readonly stepSize: number;
  /** Points in a minibatch. */
  readonly batchSize: number;
  readonly length: RunLength;
}

/** A target with Gaussian posteriors. */
export type GaussianTarget = Target & { readonly answer: GaussianAnswer };

/** A random array that every step of a sampler needs. */
export interface DrawSpec {
  readonly shape: readonly number[];
  readonly kind: "normal" | "uniform";
}

/** Settings of a run of a sampler: the target's, unless the sampler or an experiment overrides them. */
export interface SamplerSettings extends RunLength {
  readonly stepSize: number;
  readonly batchSize: number;
  /** Width d of the last hidden layer of an amortized sampler. */
  readonly featureDim: number;
}

/** A Markov chain, or a fit that is drawn from; many of them in one graph. */
export interface Sampler {
  readonly name: string;
  readonly label: string;
  /** Paper, section, equations. */
  readonly source: string;
  readonly deviations: readonly string[];
  /** The file of its rule in methods/samplers, or of its fit in methods/toy, without `.ts`; absent for a rule of a test. */
  readonly rule?: string;
  /** The method whose defaults it is built from, and these by the names of the hyperparameters. */
  readonly method?: string;
  readonly hyper?: Hyperparams;
  /** Overrides of the target's settings. */
  settings?(target: Target): Partial<SamplerSettings>;
  /** Gradients of the energy of all points that a step costs; a minibatch of m of n points counts m / n. */
  gradientsPerStep(target: Target, settings: SamplerSettings): number;
  /** The state of all chains before the first step. Runs eagerly. */
  init(
    target: Target,
    options: { readonly settings: SamplerSettings; readonly noise: Noise },
  ): State;
  /** Random numbers that one step needs. */
  draws(target: Target, settings: SamplerSettings): Readonly<Record<string, DrawSpec>>;
  /** One step of all chains: pure, traced once. */
  step(state: State, context: StepContext): State;
  /** Where the chains are, [chains, points, dim]. */
  latents(state: State, target: Target): Tensor3D;
  /** How many proposals whatever decides by itself has accepted so far, of a sampler with a Metropolis test, [deciders]. */
  accepted?(state: State): Tensor;
  /** Whether one decision moves all points of a chain, instead of one each. */
  readonly decidesJointly?: boolean;
  /**
   * Stationary variance on a Gaussian of this precision P, times P: 1 if exact. None: theory does not say.
   */
  varianceRatio?(
    precision: number,
    options: { readonly target: Target; readonly settings: SamplerSettings },
  ): number;
  /** Its stationary distribution on any target; absent where theory does not say. */
  kernel?(target: Target, settings: SamplerSettings): StationaryKernel;
  /**
   * Mean and variance of the next move of a coordinate at `x`, given its gradients so far, the one at `x` last: exactly, or up to
   * terms of a higher order in the step size. Absent where moves are no normal draws.
   */
  move?(x: number, gradients: readonly number[], stepSize: number): MoveDistribution;
  /** Whether `move` holds at any step size. */
  readonly hasExactMove?: boolean;
  /**
   * Of a rule that discretises Langevin dynamics: the order of its bias in the step size, and whether `varianceRatio` is
   * exact. The suite measures its bias.
   */
  readonly bias?: { readonly order: number; readonly closedForm: boolean };
  /** The Gaussians that it draws from in `state`, one for each posterior, or one for all; none: it is no fit of Gaussians. */
  fits?(state: HostArrays): readonly GaussianFit[];
  /** Its fixed features G [chains, points, d] in `state`; none: it moves each z by itself. */
  features?(state: HostArrays): HostArray;
  /** Whether its steps have a preconditioner, so that their size alone does not say how far it moves. */
  readonly preconditioned?: boolean;
  /** Why this sampler cannot be held to the truth on `target`, in a sentence; null: it can. */
  ungated?(target: Target): string | null;
}

/** A sampler's distribution as theory knows it: all that judging its draws needs. */
export type SamplerTheory = Pick<
  Sampler,
  | "kernel"
  | "varianceRatio"
  | "bias"
  | "ungated"
  | "fits"
  | "preconditioned"
  | "accepted"
  | "decidesJointly"
>;

/** A stationary distribution: the posterior itself, or that of Euler's rule on it. */
export type StationaryKernel = "exact" | EulerKernel;

/** Euler's rule on one posterior. */
export interface EulerKernel {
  /** eta. */
  readonly stepSize: number;
  /** m / n: the share of the steps that a point is in a minibatch, with its gradient times n / m; 1 for full batches. */
  readonly share: number;
}

/** A normal distribution of moves. */
export interface MoveDistribution {
  readonly mean: number;
  readonly variance: number;
}

/** Inputs of a step besides the state. */
export interface StepContext {
  readonly target: Target;
  /** The target's parameters as tensors. */
  readonly parameters: State;
  readonly settings: SamplerSettings;
  /** One of each of `draws`. */
  readonly draws: State;
  /** Steps before this one, float32 scalar. */
  readonly step: Scalar;
}

/** A chain as a method runs it by default, whose end has a known distribution for each start on Gaussian posteriors. */
export interface MethodChain {
  /** The method and the chain: `lebm_posterior`. */
  readonly name: string;
  readonly method: string;
  readonly label: string;
  /** The file of its rule in methods/samplers, without `.ts`. */
  readonly rule: string;
  /** The method's defaults that it is built from, by the names of the hyperparameters. */
  readonly hyper: Hyperparams;
  /** Name of the Gaussian target that it runs on. */
  readonly target: string;
  /** The end of each chain, started at `start` [chains, points, dim]. */
  run(
    start: Tensor3D,
    context: { readonly target: Target; readonly noise: Noise },
  ): ChainEnd;
  /**
   * Mean and variance of the displacement from start to end, which is normal, along a principal axis of precision P, for a start
   * at `distance` from the posterior's mean on a target of `points` points.
   */
  displacement(
    distance: number,
    posterior: { readonly precision: number; readonly points: number },
  ): MoveDistribution;
  /** Step size of its proposals on a target, if they are accepted or rejected, one decision for all points. */
  proposalStepSize?(target: Pick<Target, "points">): number;
}

/** Where chains end. */
export interface ChainEnd {
  /** [chains, points, dim]. */
  readonly z: Tensor3D;
  /** Share of its proposals that each chain accepted, [chains]; absent without a Metropolis test. */
  readonly acceptance?: Tensor;
}

/** Recorded draws, row-major [draws, chains, points, dim]. */
export interface Draws {
  readonly count: number;
  readonly chains: number;
  readonly points: number;
  readonly dim: number;
  readonly data: Float32Array;
}
