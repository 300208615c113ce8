/** Hamiltonian VAE (Caterini, Doucet and Sejdinovic 2018): a posterior moved by tempered Hamiltonian dynamics. */
import * as tf from "@tensorflow/tfjs";
import type { Method, Model, Problem, Tree } from "../harness/core/types.ts";
import { checkPositive, choice } from "./parts/checks.ts";
import { type Dynamics, movedPosterior } from "./parts/moved_posterior.ts";
import { OBSERVATION_DEFAULTS, OBSERVATION_DEVIATIONS } from "./parts/observation_model.ts";
import { OPTIMIZER_DEVIATIONS } from "./parts/optimizer.ts";
import { leapfrog, type Phase } from "./samplers/phase_space.ts";

const defaults = {
  ...OBSERVATION_DEFAULTS,
  optimizer: "adam", // the released code has Adamax
  learningRate: 1e-4, // as the VAE beside it; the released code has 5e-4
  integratorSteps: 5, // K: 1, 5, 10, 15 and 20 in the paper
  integratorStepSize: 0.2, // initial value of epsilon, one for each dimension, learned; the released code
  tempering: "fixed", // fixed, free or off
  startTemperature: 1.5, // initial value of T_0 with tempering=fixed; the released code
};

const TEMPERING = ["fixed", "free", "off"] as const;

/** The largest step size of the released code. */
const MOST_STEP_SIZE = 0.5;
/** Initial alpha with tempering=free: the released code. */
const FREE_ALPHA = 0.9;

type DynamicsParams = {
  /** epsilon = MOST_STEP_SIZE sigmoid(this), [d]. */
  readonly rawStepSize: tf.Tensor1D;
  /** T_0 = 1 + exp(this), with tempering=fixed. */
  readonly logExcess?: tf.Scalar;
  /** alpha_k = sigmoid(this), [K], with tempering=free. */
  readonly rawAlpha?: tf.Tensor1D;
};

const logit = (share: number) => Math.log(share / (1 - share));

/**
 * K leapfrog steps, after each of which the momentum shrinks by alpha_k; the product of all is T_0^(-1/2). Section 3.2: with
 * tempering=fixed T_k = (1 - T_0) k^2 / K^2 + T_0 and alpha_k = sqrt(T_k / T_(k-1)).
 */
function hamiltonianDynamics(hyper: typeof defaults): Dynamics<DynamicsParams & Tree> {
  const { latentDim, integratorSteps, integratorStepSize, startTemperature } = hyper;
  checkPositive({ integratorStepSize });
  if (integratorStepSize >= MOST_STEP_SIZE) {
    throw new RangeError(
      `integratorStepSize must be < ${MOST_STEP_SIZE}, got ${integratorStepSize}`,
    );
  }
  if (!(startTemperature > 1 && Number.isFinite(startTemperature))) {
    throw new RangeError(`startTemperature must be > 1, got ${startTemperature}`);
  }
  const tempering = choice("tempering", hyper.tempering, TEMPERING);
  const stepSizeOf = (params: DynamicsParams) =>
    tf.mul(tf.sigmoid(params.rawStepSize), MOST_STEP_SIZE);
  const temperatureOf = ({ logExcess, rawAlpha }: DynamicsParams): tf.Scalar => {
    if (integratorSteps === 0) return tf.scalar(1);
    if (logExcess !== undefined) return tf.add(tf.exp(logExcess), 1);
    // log alpha = -softplus(-raw)
    if (rawAlpha !== undefined) return tf.exp(tf.mul(tf.sum(tf.softplus(tf.neg(rawAlpha))), 2));
    return tf.scalar(1);
  };
  /** alpha_k, k from 1. */
  const alphaOf = (params: DynamicsParams, k: number): tf.Tensor => {
    const { logExcess, rawAlpha } = params;
    if (rawAlpha !== undefined) return tf.sigmoid(tf.slice(rawAlpha, [k - 1], [1]));
    if (logExcess === undefined) return tf.scalar(1);
    const t0 = temperatureOf(params);
    const at = (j: number) => tf.add(tf.mul(tf.sub(1, t0), (j / integratorSteps) ** 2), t0);
    return tf.sqrt(tf.div(at(k), at(k - 1)));
  };
  return {
    gradients: 2 * integratorSteps,
    init: () => ({
      rawStepSize: tf.fill([latentDim], logit(integratorStepSize / MOST_STEP_SIZE)),
      ...(tempering === "fixed" && { logExcess: tf.scalar(Math.log(startTemperature - 1)) }),
      ...(tempering === "free" && { rawAlpha: tf.fill([integratorSteps], logit(FREE_ALPHA)) }),
    }),
    temperature: temperatureOf,
    run: (params, { start, gradient }) => {
      let phase: Phase = start;
      for (let k = 1; k <= integratorSteps; k++) {
        const { z, p } = leapfrog(phase, { gradient, stepSize: stepSizeOf(params) });
        phase = { z, p: tf.mul(p, alphaOf(params, k)) };
      }
      // The product of alpha_k, since leapfrog steps keep volumes.
      const logDetPerDimension: tf.Scalar = tf.mul(tf.log(temperatureOf(params)), -0.5);
      return { ...phase, logDetPerDimension };
    },
    metrics: (params) => ({
      stepSize: tf.mean(stepSizeOf(params)),
      temperature: temperatureOf(params),
    }),
  };
}

export const hvae: Method<typeof defaults> = {
  name: "hvae",
  label: "HVAE",
  description: "VI + amortization + Hamiltonian dynamics",
  source:
    "Caterini, Doucet and Sejdinovic 2018 (Hamiltonian VAE), section 3, and their code (hvae-nips); networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [...OBSERVATION_DEVIATIONS, ...OPTIMIZER_DEVIATIONS],
  defaults,
  ranges: {
    learningRate: { scale: "log", low: 1e-4, high: 1e-2 },
    sigma: { scale: "log", low: 0.1, high: 1.5 },
    integratorStepSize: { scale: "log", low: 0.01, high: 0.3 },
  },
  build: (problem: Problem, hyper: typeof defaults): Model =>
    movedPosterior(problem, hyper, hamiltonianDynamics(hyper)),
};
