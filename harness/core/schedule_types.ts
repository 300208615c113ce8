/**
 * Values of the experiment `bench toy --schedule`: settings in, distances of last iterates out.
 *
 * @module
 */

/** Step sizes gamma_k = gamma_0 (1 + k / k_0)^-p, and what disturbs the gradients. */
export interface ScheduleSetting {
  /** gamma_0. */
  readonly stepSize: number;
  /** k_0. */
  readonly delay: number;
  /** p; 0 for a constant step size. */
  readonly power: number;
  /** sigma_Z, the standard deviation of a gradient's noise in each coordinate. */
  readonly gradientNoise: number;
  /** c: the bias of a gradient is c gamma_k in each coordinate. */
  readonly gradientBias: number;
}

/** The last iterates of many chains after `steps` steps. */
export interface SchedulePoint {
  readonly steps: number;
  readonly gradients: number;
  /** W2 to independent draws of the target, as many as chains; sliced in two dimensions. */
  readonly distance: number;
  /** Means over chains and coordinates: sample mean, and variance about zero. */
  readonly mean: number;
  readonly square: number;
}

/** One rule with one schedule on one target. */
export interface ScheduleRun {
  readonly target: string;
  readonly rule: string;
  readonly label: string;
  readonly setting: ScheduleSetting;
  readonly points: readonly SchedulePoint[];
}

/** A statement that the theory makes, and whether it held. */
export interface ScheduleGate {
  readonly name: string;
  readonly value: number;
  readonly low: number | null;
  readonly high: number;
  readonly passed: boolean;
}

/** All of the experiment. */
export interface ScheduleReport {
  readonly seed: number;
  readonly chains: number;
  readonly runs: readonly ScheduleRun[];
  /** W2 between two sets of independent draws, as many as chains, by target. */
  readonly floors: Readonly<Record<string, number>>;
  readonly gates: readonly ScheduleGate[];
}
