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
  gradients: 1,
  draws: (shape) => ({
    ...normalDraws(shape),
    threshold: { shape: shape.slice(0, 2), kind: "uniform" },
  }),
  init: (x, potential) => {
    const { energy, gradient } = positionAt(flatten(x), { x, potential });
    return { energy, gradient };
  },
  step: ({ x, energy, gradient }, { potential, draws: { xi, threshold }, stepSize }) => {
    const { position } = metropolisStep(
      { w: flatten(x), energy: energy as tf.Tensor1D, gradient: gradient as tf.Tensor2D },
      (w) => positionAt(w, { x: x as Positions, potential }),
      { stepSize, xi: flatten(xi), uniform: tf.reshape(tf.sub(1, threshold), [-1]) },
    );
    return {
      x: tf.reshape(position.w, x.shape),
      energy: position.energy,
      gradient: position.gradient,
    };
  },
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

/** Metropolis-adjusted Langevin dynamics of each z. */
export const mala = direct(metropolisAdjusted, {
  name: "mala",
  label: "LD + MH",
  source: "Roberts and Tweedie 1996",
  deviations: [],
});

/** Amortized Langevin dynamics with Metropolis and Hastings' correction on the last layer: one decision for all points. */
export const aldMetropolis = amortized(metropolisAdjusted, {
  name: "ald_mh",
  label: "ALD + MH",
  source: "LAE section 3.1; NeurIPS version, algorithm 1",
  deviations: ["features are whitened: G G' = I"],
  features: "whitened",
});
