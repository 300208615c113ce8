/**
 * The choice of a step size on a schedule: every training step tries the whole grid on one image, and after as many steps as
 * the schedule says the step size becomes the one with the least sum of objectives. All step sizes are tried on the same images,
 * starts and probes, so that their differences are much better known than each objective.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ShortRunTrial } from "./short_run.ts";

/** Sums over the trials since the last choice. */
export type SearchState = {
  /** Sum of objectives in nats, [count]; UNFIT where a trial diverged. */
  readonly objective: tf.Tensor1D;
  /** The largest eta times curvature, [count]. */
  readonly curvature: tf.Tensor1D;
};

/** An objective that is never chosen; small enough that sums of it stay in float32. */
const UNFIT = 1e30;

/** Sums before the first trial of `count` step sizes. */
export function initSearch(count: number): SearchState {
  return { objective: tf.zeros([count]), curvature: tf.zeros([count]) };
}

/** The sums with `trial`, one row a step size. */
export function addTrial(sums: SearchState, trial: ShortRunTrial): SearchState {
  // NaN is not less than anything.
  const fit = tf.less(tf.abs(trial.objective), UNFIT);
  const objective = tf.where(fit, trial.objective, tf.fill(trial.objective.shape, UNFIT));
  const known = tf.less(trial.curvature, UNFIT);
  const curvature = tf.where(known, trial.curvature, tf.fill(trial.curvature.shape, UNFIT));
  return {
    objective: tf.minimum(tf.add(sums.objective, objective), UNFIT),
    curvature: tf.maximum(sums.curvature, curvature),
  };
}

/**
 * The entry of `grid` [count], smallest first, with the least objective among those whose eta times curvature stayed below 1;
 * the smallest if there is none.
 */
export function chooseStepSize(
  grid: tf.Tensor1D,
  { objective, curvature }: SearchState,
): tf.Scalar {
  const fit = tf.logicalAnd(tf.less(curvature, 1), tf.less(objective, UNFIT));
  const judged = tf.where(fit, objective, tf.fill(objective.shape, UNFIT));
  const best = tf.logicalAnd(fit, tf.lessEqual(judged, tf.min(judged)));
  return tf.maximum<tf.Scalar>(tf.max(tf.where(best, grid, tf.zerosLike(grid))), tf.min(grid));
}
