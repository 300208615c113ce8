import * as tf from "@tensorflow/tfjs";
import { metropolisStep, type Position } from "../samplers/metropolis.ts";
import { amortized } from "./amortized.ts";
import { direct } from "./direct.ts";
import { type Integrator, normalDraws, type Positions, type Potential } from "./integrator.ts";

/**
 * Metropolis-adjusted Langevin with one decision for each block, so that no bias is left. Energy and gradient at x are
 * carried along.
 */
export const metropolisAdjusted: Integrator = {
  rule: "metropolis",
  gradients: 1,
  draws: (shape) => ({
    ...normalDraws(shape),
    threshold: { shape: shape.slice(0, 2), kind: "uniform" },
  }),
  init: (x, potential) => {
    const { energy, gradient } = positionAt(flatten(x), { x, potential });
    return { energy, gradient, accepted: tf.zerosLike(energy) };
  },
  step: ({ x, energy, gradient, ...counts }, { potential, draws: { xi, threshold }, stepSize }) => {
    const { position, accepted } = metropolisStep(
      { w: flatten(x), energy: energy as tf.Tensor1D, gradient: gradient as tf.Tensor2D },
      (w) => positionAt(w, { x: x as Positions, potential }),
      { stepSize, xi: flatten(xi), uniform: tf.reshape(tf.sub(1, threshold), [-1]) },
    );
    return {
      x: tf.reshape(position.w, x.shape),
      energy: position.energy,
      gradient: position.gradient,
      accepted: tf.add(counts.accepted, accepted),
    };
  },
  countsAccepted: true,
  stationary: "exact",
  varianceRatio: () => 1,
};

/** Blocks of all chains as rows: [chains * blocks, width]. */
function flatten(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, [-1, x.shape[2] ?? 1]);
}

/** Energy and gradient at `w`, for blocks in the shape of `x`. */
function positionAt(
  w: tf.Tensor2D,
  { x, potential }: { readonly x: Positions; readonly potential: Potential },
): Position {
  const at = tf.reshape(w, x.shape) as Positions;
  return {
    w,
    energy: tf.reshape(potential.energy(at), [-1]),
    gradient: flatten(potential.gradient(at)),
  };
}

/** Step size times the mean square of a gradient's coordinate in two dimensions: 70 to 90 % of the proposals are accepted. */
const LONG = 0.8;

/** Metropolis-adjusted Langevin dynamics of each z. */
export const mala = direct(metropolisAdjusted, {
  name: "mala",
  label: "LD + MH",
  source: "Roberts and Tweedie 1996",
  deviations: [],
});

/** The same at a step size at which many proposals are rejected: what a wrong test would let pass shows here. */
export const malaLong = direct(metropolisAdjusted, {
  name: "mala_long",
  label: "LD + MH, long steps",
  source: "Roberts and Tweedie 1996",
  deviations: ["steps are some ten times as long as those without a Metropolis test"],
  // Steps that are accepted as often scale as dim^(-1/3). Roberts and Rosenthal 1998.
  settings: ({ gradientScale, dim }) => ({
    stepSize: LONG / gradientScale ** 2 / Math.cbrt(Math.max(1, dim / 2)),
  }),
});

/** Amortized Langevin dynamics with Metropolis and Hastings' correction on the last layer: one decision for all points. */
export const aldMetropolis = amortized(metropolisAdjusted, {
  name: "ald_mh",
  label: "ALD + MH",
  source: "LAE section 3.1; NeurIPS version, algorithm 1",
  deviations: ["features are whitened: G G' = I"],
  features: "whitened",
});
