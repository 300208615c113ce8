import * as tf from "@tensorflow/tfjs";
import { langevinStep } from "./langevin.ts";

/** Chains, their energies and the gradients there. */
export interface Position {
  /** [chains, dimension]. */
  readonly w: tf.Tensor2D;
  /** U(w) for each chain, [chains]. */
  readonly energy: tf.Tensor1D;
  /** grad U(w), [chains, dimension]. */
  readonly gradient: tf.Tensor2D;
}

/** Draws and size of one move. */
export interface MetropolisMove {
  /** eta: the proposal is w - eta grad U(w) + sqrt(2 eta) xi. */
  readonly stepSize: number | tf.Scalar;
  /** Standard normal, [chains, dimension]. */
  readonly xi: tf.Tensor2D;
  /** Uniform in [0, 1), [chains]. */
  readonly uniform: tf.Tensor1D;
}

/** Where the chains are after a move, and what became of the proposals. */
export interface MetropolisResult {
  readonly position: Position;
  /** 1 where the proposal was accepted and 0 elsewhere, [chains]. */
  readonly accepted: tf.Tensor1D;
  /** U(w') - U(w) of the proposals w', accepted or not, [chains]. */
  readonly energyChange: tf.Tensor1D;
}

/**
 * One Metropolis-adjusted Langevin step of each chain (Roberts and Tweedie 1996): the proposal w' is accepted with
 * probability min(1, exp(U(w) - U(w') + log q(w | w') - log q(w' | w))), so that exp(-U) is stationary at any step size.
 */
export function metropolisStep(
  current: Position,
  evaluate: (w: tf.Tensor2D) => Position,
  { stepSize, xi, uniform }: MetropolisMove,
): MetropolisResult {
  const proposed = evaluate(
    langevinStep(current.w, { gradient: current.gradient, xi, stepSize }),
  );
  // w - w' + eta grad U(w'), whose square over 4 eta is -log q(w | w'); xi is that of the forward move over sqrt(2 eta).
  const back = tf.add(tf.sub(current.w, proposed.w), tf.mul(proposed.gradient, stepSize));
  const exponent = typeof stepSize === "number" ? -0.25 / stepSize : tf.div(-0.25, stepSize);
  const backward = tf.mul(tf.sum(tf.square(back), 1), exponent);
  const forward = tf.mul(tf.sum(tf.square(xi), 1), -0.5);
  const energyFall = tf.sub(current.energy, proposed.energy) as tf.Tensor1D;
  const accept = tf.less(tf.log(uniform), tf.add(energyFall, tf.sub(backward, forward)));
  const rows = tf.broadcastTo(tf.expandDims(accept, 1), current.w.shape);
  return {
    position: {
      w: tf.where(rows, proposed.w, current.w) as tf.Tensor2D,
      energy: tf.where(accept, proposed.energy, current.energy) as tf.Tensor1D,
      gradient: tf.where(rows, proposed.gradient, current.gradient) as tf.Tensor2D,
    },
    accepted: tf.cast(accept, "float32") as tf.Tensor1D,
    energyChange: tf.neg(energyFall),
  };
}
