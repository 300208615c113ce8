/**
 * Integrators of Hamiltonian and of Langevin dynamics on positions and momenta, for the density exp(-U(z) - |p|^2 / 2). Each
 * step's Jacobian has a known determinant, whatever U is, so that the law of its end has a density.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Position and momentum, of one shape. */
export interface Phase {
  readonly z: tf.Tensor;
  readonly p: tf.Tensor;
}

/** grad U, of the shape of z. */
export type Gradient = (z: tf.Tensor) => tf.Tensor;

/** One leapfrog step of `stepSize`, a scalar or one for each dimension: log |det| = 0, two gradients. Neal 2011, eq. 5.18-5.20. */
export function leapfrog(
  { z, p }: Phase,
  { gradient, stepSize }: { readonly gradient: Gradient; readonly stepSize: tf.Tensor },
): Phase {
  const half = tf.mul(stepSize, 0.5);
  const midway = tf.sub(p, tf.mul(half, gradient(z)));
  const end = tf.add(z, tf.mul(stepSize, midway));
  return { z: end, p: tf.sub(midway, tf.mul(half, gradient(end))) };
}

/** Orders of the parts of a quasi-symplectic step. */
export const SCHEMES = ["verlet", "euler"] as const;

/** Settings of a quasi-symplectic step. */
export interface QuasiSymplectic {
  readonly gradient: Gradient;
  /** h. */
  readonly stepSize: tf.Tensor;
  /** nu. */
  readonly friction: tf.Tensor;
  readonly scheme: typeof SCHEMES[number];
  /** sigma_n xi, of the shape of p; absent for none. */
  readonly kick?: tf.Tensor;
}

/**
 * One step of dz = p dt, dp = (-grad U - nu p) dt + sigma_n dW with one gradient: log |det| = -nu h for each dimension.
 * `euler` is symplectic Euler with friction; `verlet` splits friction and drift around the gradient (Milstein and Tretyakov
 * 2003) and is of second order.
 */
export function quasiSymplecticStep(
  { z, p }: Phase,
  { gradient, stepSize: h, friction, scheme, kick }: QuasiSymplectic,
): Phase {
  const push = (p: tf.Tensor, at: tf.Tensor) => {
    const pushed = tf.sub(p, tf.mul(h, gradient(at)));
    return kick === undefined ? pushed : tf.add(pushed, tf.mul(tf.sqrt(h), kick));
  };
  const damping = (share: number) => tf.exp(tf.mul(tf.mul(friction, h), -share));
  if (scheme === "euler") {
    const next = push(tf.mul(damping(1), p), z);
    return { z: tf.add(z, tf.mul(h, next)), p: next };
  }
  const damped = tf.mul(damping(0.5), p);
  const middle = tf.add(z, tf.mul(tf.mul(h, 0.5), damped));
  const pushed = push(damped, middle);
  return {
    z: tf.add(middle, tf.mul(tf.mul(h, 0.5), pushed)),
    p: tf.mul(damping(0.5), pushed),
  };
}
