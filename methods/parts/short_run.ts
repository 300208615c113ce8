/**
 * The law of a short noise-free Langevin chain from N(0, I), z' = z - eta grad U(z), and how far it is from the posterior:
 * what short-run inference chooses its step size by (Nijkamp et al. 2020). The chain is a normalizing flow of K layers, so
 * that log q(z_K) = log N(z_0; 0, I) - sum_k log |det (I - eta H(z_k))|, H the Hessian of U, and up to a constant
 * KL(q || posterior) is J(eta) = E[U(z_K) - sum_k log |det (I - eta H(z_k))|].
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import "../../harness/core/nested_gradients.ts";
import { repeat } from "../../harness/core/repeat.ts";
import type { PriorEnergy } from "./latent_chains.ts";

/** Terms of the series of log(1 - x) = -sum of x^j / j. The first that is left out is below 0.002 at x = 0.4. */
const SERIES_TERMS = 4;

/** Arguments of `shortRunObjective`. */
export interface ShortRun {
  /** z_0, [rows, d]. */
  readonly start: tf.Tensor2D;
  /** K. */
  readonly steps: number;
  /** eta of each row, [rows]. */
  readonly stepSizes: tf.Tensor1D;
  /** Signs +1 or -1, [rows, d]: Hutchinson's probes of the trace. */
  readonly probes: tf.Tensor2D;
  /** In [0, 1): which of z_0 to z_(K-1) stands for the sum over k. */
  readonly moment: tf.Scalar;
}

/** Measures of a step size on a short run. */
export interface ShortRunTrial {
  /** An estimate of J(eta) in nats, [rows]. */
  readonly objective: tf.Tensor1D;
  /**
   * A lower bound on eta times the largest curvature along the probe, [rows]. At 1 the map z -> z - eta grad U is singular, and
   * the series of the log-determinant does not converge.
   */
  readonly curvature: tf.Tensor1D;
}

/**
 * Runs each row with its own step size. The log-determinants are Hutchinson's estimate of a trace, by a series of four terms,
 * at one z_k that is drawn uniformly, times K: unbiased for the sum over k, up to the series. `energy` is U, one a row.
 */
export function shortRunObjective(
  energy: PriorEnergy,
  { start, steps, stepSizes, probes, moment }: ShortRun,
): ShortRunTrial {
  const gradient = tf.grad((z: tf.Tensor): tf.Scalar => tf.sum(energy(z as tf.Tensor2D)));
  const eta = tf.expandDims(stepSizes, 1); // [rows, 1]
  const at = tf.cast(tf.mul(moment, steps), "int32");
  const isMoment = tf.cast(tf.equal(tf.range(0, steps, 1, "int32"), at), "float32"); // [K]
  const { z, chosen } = repeat(
    steps,
    { z: start as tf.Tensor, chosen: tf.zerosLike(start) as tf.Tensor },
    ({ z, chosen }, { now }) => ({
      z: tf.sub(z, tf.mul(eta, gradient(z))),
      chosen: tf.add(chosen, tf.mul(now, z)),
    }),
    { now: isMoment },
  );

  // Powers of eta H along the probe: their products with it are traces, their growth is the largest eigenvalue.
  const hessianProduct = (v: tf.Tensor) =>
    tf.grad((z: tf.Tensor): tf.Scalar => tf.sum(tf.mul(gradient(z), v)))(chosen);
  let [power, curvature] = [probes as tf.Tensor, stepSizes as tf.Tensor];
  let logDet: tf.Tensor = tf.zerosLike(stepSizes);
  for (let j = 1; j <= SERIES_TERMS; j++) {
    const next = tf.mul(eta, hessianProduct(power));
    curvature = tf.sqrt(tf.div(tf.sum(tf.square(next), 1), tf.sum(tf.square(power), 1)));
    power = next;
    logDet = tf.sub(logDet, tf.div(tf.sum(tf.mul(probes, power), 1), j));
  }
  return {
    objective: tf.sub(energy(z as tf.Tensor2D), tf.mul(logDet, steps)),
    curvature: curvature as tf.Tensor1D,
  };
}
