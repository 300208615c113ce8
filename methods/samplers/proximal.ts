import * as tf from "@tensorflow/tfjs";

/** One step of the proximal rule. */
export interface ProximalMove<T extends tf.Tensor> {
  /** grad U at any x, of the shape of x. */
  readonly gradient: (x: T) => T;
  /** Standard normal draws of the shape of x. */
  readonly xi: tf.Tensor;
  /** eta. */
  readonly stepSize: number;
  /** Gradients that the inner solver may take. */
  readonly innerSteps: number;
}

/**
 * One proximal (implicit) Langevin step from `x` [..., dimension]: the y with y + eta grad U(y) = x + sqrt(2 eta) xi, found by
 * the method of Barzilai and Borwein 1988 in `innerSteps` gradients. Karimi, Hsieh and Krause 2023.
 */
export function proximalStep<T extends tf.Tensor>(
  x: T,
  { gradient, xi, stepSize, innerSteps }: ProximalMove<T>,
): T {
  const goal = tf.add(x, tf.mul(xi, Math.sqrt(2 * stepSize))) as T;
  const residual = (y: T) => tf.sub(tf.add(y, tf.mul(gradient(y), stepSize)), goal);
  const dot = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b), -1, true);
  let y = goal;
  let r = residual(y);
  let rate: tf.Tensor = tf.scalar(1);
  for (let i = 1; i < innerSteps; i++) {
    const next = tf.sub(y, tf.mul(r, rate)) as T;
    const nextResidual = residual(next);
    const [dy, dr] = [tf.sub(next, y), tf.sub(nextResidual, r)];
    // (I + eta H)^-1 has eigenvalues in (0, 1] where U is convex; at the solution both differences are zero.
    rate = tf.clipByValue(tf.div(dot(dy, dy), tf.add(tf.abs(dot(dy, dr)), 1e-20)), 0.1, 1);
    [y, r] = [next, nextResidual];
  }
  return tf.sub(y, tf.mul(r, rate)) as T;
}
