import * as tf from "@tensorflow/tfjs";

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

/**
 * One Metropolis-adjusted Langevin step of each chain (Roberts and Tweedie 1996): the proposal w' is accepted with
 * probability min(1, exp(U(w) - U(w') + log q(w | w') - log q(w' | w))), so that exp(-U) is stationary at any step size.
 */
export function metropolisStep(
  current: Position,
  evaluate: (w: tf.Tensor2D) => Position,
  { stepSize, xi, uniform }: MetropolisMove,
): { readonly position: Position; readonly accepted: tf.Tensor1D } {
  const drift = tf.mul(current.gradient, stepSize);
  const isNumber = typeof stepSize === "number";
  const spread = isNumber ? Math.sqrt(2 * stepSize) : tf.sqrt(tf.mul(stepSize, 2));
  const w = tf.add(tf.sub(current.w, drift), tf.mul(xi, spread)) as tf.Tensor2D;
  const proposed = evaluate(w);
  // w - w' + eta grad U(w'), whose square over 4 eta is -log q(w | w'); xi is that of the forward move over sqrt(2 eta).
  const back = tf.add(tf.sub(current.w, w), tf.mul(proposed.gradient, stepSize));
  const exponent = isNumber ? -0.25 / stepSize : tf.div(-0.25, stepSize);
  const backward = tf.mul(tf.sum(tf.square(back), 1), exponent);
  const forward = tf.mul(tf.sum(tf.square(xi), 1), -0.5);
  const logRatio = tf.add(tf.sub(current.energy, proposed.energy), tf.sub(backward, forward));
  const accept = tf.less(tf.log(uniform), logRatio);
  const rows = tf.expandDims(accept, 1);
  return {
    position: {
      w: tf.where(tf.broadcastTo(rows, w.shape), w, current.w) as tf.Tensor2D,
      energy: tf.where(accept, proposed.energy, current.energy) as tf.Tensor1D,
      gradient: tf.where(
        tf.broadcastTo(rows, w.shape),
        proposed.gradient,
        current.gradient,
      ) as tf.Tensor2D,
    },
    accepted: tf.cast(accept, "float32") as tf.Tensor1D,
  };
}
