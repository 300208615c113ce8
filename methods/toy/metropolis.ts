import * as tf from "@tensorflow/tfjs";
import { langevinStep } from "../samplers/langevin.ts";
import { amortized } from "./amortized.ts";
import { direct } from "./direct.ts";
import { type Integrator, normalDraws, type Positions, type Potential } from "./integrator.ts";

/**
 * Metropolis-adjusted Langevin: Euler and Maruyama's proposal y, accepted with probability min(1, exp(U(x) - U(y)) q(x|y) /
 * q(y|x)) in each block, so that no bias is left. Roberts and Tweedie 1996. Energy and gradient at x are carried along.
 */
export const metropolisAdjusted: Integrator = {
  gradients: 1,
  draws: (shape) => ({
    ...normalDraws(shape),
    threshold: { shape: shape.slice(0, 2), kind: "uniform" },
  }),
  init: (x, potential) => carried(x, potential),
  step: ({ x, energy, gradient }, { potential, draws, stepSize }) => {
    const y = langevinStep(x as Positions, { gradient, xi: draws.xi, stepSize });
    const proposed = carried(y, potential);
    // log q up to a constant, [chains, blocks].
    const forward = tf.mul(tf.sum(tf.square(draws.xi), 2), -0.5);
    const back = tf.sub(x, tf.sub(y, tf.mul(proposed.gradient, stepSize)));
    const backward = tf.mul(tf.sum(tf.square(back), 2), -0.25 / stepSize);
    const logRatio = tf.add(tf.sub(energy, proposed.energy), tf.sub(backward, forward));
    // 1 - u is in (0, 1].
    const accept = tf.less(tf.log(tf.sub(1, draws.threshold)), logRatio);
    const choose = (next: tf.Tensor, old: tf.Tensor, condition: tf.Tensor) =>
      tf.where(tf.broadcastTo(condition, old.shape as [number, number]), next, old);
    const wide = tf.expandDims(accept, 2);
    return {
      x: choose(y, x, wide),
      energy: choose(proposed.energy, energy, accept),
      gradient: choose(proposed.gradient, gradient, wide),
    };
  },
  varianceRatio: () => 1,
};

function carried(x: Positions, potential: Potential) {
  return { energy: potential.energy(x) as tf.Tensor, gradient: potential.gradient(x) as tf.Tensor };
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
