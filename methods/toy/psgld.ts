import * as tf from "@tensorflow/tfjs";
import type { RunLength, Sampler, Target } from "../../harness/core/toy_types.ts";
import { amortized } from "./amortized.ts";
import { direct } from "./direct.ts";
import { type Integrator, normalDraws, type Positions } from "./integrator.ts";

/** Memory of the mean square: Li et al. take 0.99. */
const ALPHA = 0.9998;
/** lambda of Li et al. */
const DAMPING = 1e-3;

/**
 * Langevin dynamics with RMSProp's preconditioner: V <- alpha V + (1 - alpha) g^2, G = 1 / (lambda + sqrt(V / (1 -
 * alpha^t))), x - eta G g + sqrt(2 eta G) xi. Li et al. 2016, algorithm 1.
 */
export const rmsPreconditioned: Integrator = {
  gradients: 1,
  preconditioned: true,
  draws: normalDraws,
  // The power alpha^t is carried along, from 1.
  init: (x) => ({ v: tf.zerosLike(x), decay: tf.scalar(1) }),
  step: ({ x, v, decay }, { potential, draws, stepSize }) => {
    const gradient = potential.gradient(x as Positions);
    const nextV = tf.add(tf.mul(v, ALPHA), tf.mul(tf.square(gradient), 1 - ALPHA));
    const nextDecay = tf.mul(decay, ALPHA);
    const rms = tf.sqrt(tf.div(nextV, tf.sub(1, nextDecay)));
    const scaled = tf.div(stepSize, tf.add(rms, DAMPING)); // eta G
    const moved = tf.sub(x, tf.mul(scaled, gradient));
    return {
      x: tf.add(moved, tf.mul(tf.sqrt(tf.mul(scaled, 2)), draws.xi)),
      v: nextV,
      decay: nextDecay,
    };
  },
};

const DEVIATIONS = [
  "alpha is 0.9998, not 0.99: chains forget in some 100 steps, and G that follows them samples exp(-U) / G instead",
  "V is divided by 1 - alpha^t, as in Adam, since such a long memory starts from zero",
  "Gamma, the derivative of G, is dropped, as Li et al. do in practice",
];

/** Steps until V knows the mean square to some percent. */
const SETTLING = 2000;

/** Makes eta G about the target's step size. */
const preconditionedStep = ({ stepSize, gradientScale }: Target) => stepSize * gradientScale;

/** Time for V to settle, on top of the target's burn-in, and `times` the target's draws. */
function longer({ length: { steps, burnIn }, answer }: Target, times = 1): Partial<RunLength> {
  const kept = (steps - burnIn) * (answer.kind === "gaussian" ? times : 1);
  return { steps: burnIn + SETTLING + kept, burnIn: burnIn + SETTLING };
}

/** Preconditioned Langevin dynamics of each z. */
export const psgld: Sampler = {
  ...direct(rmsPreconditioned, {
    name: "psgld",
    label: "pSGLD",
    source: "Li et al. 2016, algorithm 1; LAE section 3.1",
    deviations: DEVIATIONS,
    settings: (target) => ({ stepSize: preconditionedStep(target), ...longer(target) }),
  }),
  // Euler's factor with the step size that eta G is meant to have.
  varianceRatio: (precision, { target }) => 1 / (1 - target.stepSize * precision / 2),
};

/** Preconditioned amortized Langevin dynamics on minibatches. */
export const psgald: Sampler = {
  ...amortized(rmsPreconditioned, {
    name: "psgald",
    label: "pSGALD",
    source: "LAE section 3.1 and algorithm 2 with Li et al. 2016",
    deviations: [...DEVIATIONS, "features are whitened: G G' = I"],
    features: "whitened",
    minibatch: true,
    // An entry of Phi sees a sum over the points by a column of an orthonormal G, of mean square points / d, and n / m times
    // that in minibatches. So eta G is about sqrt(m / n) of the target's step size, or less where columns differ in length.
    settings: (target) => ({
      stepSize: preconditionedStep(target) * Math.sqrt(target.points / target.encoder.width),
      ...longer(target, 3),
    }),
  }),
  // Euler's factor of minibatches with that step size, the largest that eta G takes.
  varianceRatio: (precision, { target: { stepSize, points }, settings: { batchSize } }) =>
    1 / (1 - stepSize * precision * Math.sqrt(points / batchSize) / 2),
};
