import * as tf from "@tensorflow/tfjs";
import type { RunLength, Sampler, Target } from "../../harness/core/toy_types.ts";
import { decayedStepSize, type DecayHyper, psgld as psgldMove } from "../samplers/psgld.ts";
import type { State } from "../../harness/core/types.ts";
import { amortized } from "./amortized.ts";
import { direct } from "./direct.ts";
import { type Integrator, normalDraws, type Positions } from "./integrator.ts";

/** Settings of the preconditioner. */
export interface PreconditionerSettings {
  readonly alpha: number;
  /** lambda. */
  readonly damping: number;
  /** Whether V follows the gradient of the mean energy of the points, as in training, instead of that of their sum. */
  readonly ofMean?: boolean;
  /** How the step size decays; not at all by default. */
  readonly decay?: Omit<DecayHyper, "stepSize">;
}

/** Langevin dynamics with the preconditioner of RMSProp. */
export function rmsPreconditioned(
  { alpha, damping, ofMean = false, decay }: PreconditionerSettings,
): Integrator {
  return {
    rule: "psgld",
    gradients: 1,
    preconditioned: true,
    draws: normalDraws,
    // V without its bias is the mean of the squared gradients with weights alpha^age.
    move: (_, gradients, stepSize) => {
      let [squares, weights, weight] = [0, 0, 1];
      for (const gradient of gradients.toReversed()) {
        squares += weight * gradient ** 2;
        weights += weight;
        weight *= alpha;
      }
      const preconditioner = 1 / (damping + Math.sqrt(squares / weights));
      const gradient = gradients[gradients.length - 1];
      return {
        mean: -stepSize * preconditioner * gradient,
        variance: 2 * stepSize * preconditioner,
      };
    },
    hasExactMove: true,
    init: (x) => ({ v: tf.zerosLike(x) }),
    step: ({ x, v }, { potential, draws: { xi }, stepSize, moves, points }) => {
      const gradient = potential.gradient(x as Positions);
      const next = psgldMove<State>({ params: { x }, v: { x: v } }, {
        gradients: { x: ofMean ? tf.div(gradient, points) : gradient },
        xi: { x: xi },
        stepSize: decay ? decayedStepSize({ stepSize, ...decay }, moves) : stepSize,
        count: ofMean ? points : 1,
        alpha,
        damping,
        moves,
      });
      return { x: next.params.x, v: next.v.x };
    },
  };
}

/** A long memory, so that G hardly follows a chain, and lambda of Li et al. */
export const LONG_MEMORY: PreconditionerSettings = { alpha: 0.9998, damping: 1e-3 };

/** A short memory and a damping of the gradients' size, with which every constant of the rule shows in its moves. */
export const psgldShort = direct(rmsPreconditioned({ alpha: 0.9, damping: 3 }), {
  name: "psgld_short",
  label: "pSGLD, short memory",
  source: "Li et al. 2016, algorithm 1",
  deviations: ["alpha and damping are such that every constant of the rule shows in ten moves"],
});

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
  ...direct(rmsPreconditioned(LONG_MEMORY), {
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
  ...amortized(rmsPreconditioned(LONG_MEMORY), {
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
