import * as tf from "@tensorflow/tfjs";
import { direct } from "./direct.ts";
import { equalCost, type Integrator, normalDraws, type Positions } from "./integrator.ts";

/** Gradients of the inner solver: the error falls below float32's on quadratics of two curvatures with eta P < 1. */
const INNER_STEPS = 6;

/**
 * The proximal (implicit) rule: the y with y + eta grad U(y) = x + sqrt(2 eta) xi, found by Barzilai and Borwein's method.
 * Karimi, Hsieh and Krause 2023.
 */
export const proximal: Integrator = {
  gradients: INNER_STEPS,
  draws: normalDraws,
  step: ({ x }, { potential, draws, stepSize }) => {
    const goal = tf.add(x, tf.mul(draws.xi, Math.sqrt(2 * stepSize)));
    const residual = (y: tf.Tensor) =>
      tf.sub(tf.add(y, tf.mul(potential.gradient(y as Positions), stepSize)), goal);
    const dot = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b), 2, true);
    let y = goal;
    let r = residual(y);
    let rate: tf.Tensor = tf.scalar(1);
    for (let i = 1; i < INNER_STEPS; i++) {
      const next = tf.sub(y, tf.mul(r, rate));
      const nextResidual = residual(next);
      const [dy, dr] = [tf.sub(next, y), tf.sub(nextResidual, r)];
      // (I + eta H)^-1 has eigenvalues in (0, 1] where U is convex; at the solution both differences are zero.
      rate = tf.clipByValue(tf.div(dot(dy, dy), tf.add(tf.abs(dot(dy, dr)), 1e-20)), 0.1, 1);
      [y, r] = [next, nextResidual];
    }
    return { x: tf.sub(y, tf.mul(r, rate)) };
  },
  varianceRatio: (x) => 1 / (1 + x / 2),
};

/** Proximal Langevin dynamics of each z. */
export const proximalLd = direct(proximal, {
  ...equalCost(INNER_STEPS),
  name: "proximal",
  label: "Proximal LD",
  source: "Karimi, Hsieh and Krause 2023, proximal Langevin algorithm",
  bias: { order: 1, closedForm: true },
  deviations: ["the implicit step is solved to float32's accuracy by six gradients"],
});
