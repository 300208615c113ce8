/** Langevin-VAE (Wang and Delingette 2021): a posterior moved by quasi-symplectic Langevin dynamics. */
import * as tf from "@tensorflow/tfjs";
import type { Method, Model, Problem } from "../harness/core/types.ts";
import { checkNotNegative, checkPositive, choice } from "./parts/checks.ts";
import { type Dynamics, movedPosterior } from "./parts/moved_posterior.ts";
import { OBSERVATION_DEFAULTS, OBSERVATION_DEVIATIONS } from "./parts/observation_model.ts";
import { OPTIMIZER_DEVIATIONS } from "./parts/optimizer.ts";
import { type Phase, quasiSymplecticStep, SCHEMES } from "./samplers/phase_space.ts";

const defaults = {
  ...OBSERVATION_DEFAULTS,
  optimizer: "adam", // as the VAE beside it; the paper's is not known
  learningRate: 1e-4, // as the VAE beside it; the paper's is not known
  integratorSteps: 5, // K; the paper's is not known
  integratorStepSize: 0.1, // initial value of h, learned; the paper's is not known
  friction: 1, // initial value of nu, learned; the paper's is not known
  momentumNoise: 0, // sigma_n / sqrt(2 nu): 1 keeps exp(-U) invariant and loosens the bound, 0 is tightest
  scheme: "verlet", // verlet, of second order, or euler
};

type DynamicsParams = { readonly logStepSize: tf.Scalar; readonly logFriction: tf.Scalar };

// Deviation: The formulas of the Langevin-VAE are not public beyond its abstract: the update is the quasi-symplectic step of Milstein and Tretyakov, whose Jacobian has the determinant that the abstract names
function langevinDynamics(hyper: typeof defaults): Dynamics<DynamicsParams> {
  const { integratorSteps, integratorStepSize, friction, momentumNoise } = hyper;
  checkPositive({ integratorStepSize, friction });
  checkNotNegative({ momentumNoise });
  const scheme = choice("scheme", hyper.scheme, SCHEMES);
  return {
    gradients: integratorSteps,
    init: () => ({
      logStepSize: tf.scalar(Math.log(integratorStepSize)),
      logFriction: tf.scalar(Math.log(friction)),
    }),
    temperature: () => tf.scalar(1),
    run: (params, { start, gradient, noise }) => {
      const stepSize = tf.exp(params.logStepSize);
      const nu = tf.exp(params.logFriction);
      let phase: Phase = start;
      for (let k = 0; k < integratorSteps; k++) {
        const kick = momentumNoise === 0 ? undefined : tf.mul(
          tf.mul(tf.sqrt(tf.mul(nu, 2)), momentumNoise),
          noise.split(k).normal(start.p.shape),
        );
        phase = quasiSymplecticStep(phase, { gradient, stepSize, friction: nu, scheme, kick });
      }
      return { ...phase, logDetPerDimension: tf.mul(tf.mul(stepSize, nu), -integratorSteps) };
    },
    metrics: ({ logStepSize, logFriction }) => ({
      stepSize: tf.exp(logStepSize),
      friction: tf.exp(logFriction),
    }),
  };
}

export const langevin_vae: Method<typeof defaults> = {
  name: "langevin_vae",
  label: "Langevin-VAE",
  description: "VI + amortization + underdamped LD",
  source:
    "Wang and Delingette 2021 (quasi-symplectic Langevin VAE), its abstract; Milstein and Tretyakov 2003; networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [
    ...OBSERVATION_DEVIATIONS,
    ...OPTIMIZER_DEVIATIONS,
    "The formulas of the Langevin-VAE are not public beyond its abstract: the update is the quasi-symplectic step of Milstein and Tretyakov, whose Jacobian has the determinant that the abstract names",
  ],
  defaults,
  ranges: {
    learningRate: { scale: "log", low: 1e-4, high: 1e-2 },
    sigma: { scale: "log", low: 0.1, high: 1.5 },
    integratorStepSize: { scale: "log", low: 0.01, high: 0.3 },
  },
  build: (problem: Problem, hyper: typeof defaults): Model =>
    movedPosterior(problem, hyper, langevinDynamics(hyper)),
};
