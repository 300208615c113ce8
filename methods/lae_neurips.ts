/**
 * The Langevin autoencoder as published at NeurIPS 2022: features trained by SGD, one Metropolis-adjusted chain on the
 * encoder's last layer whose potential is that of the current minibatch, a fixed prior N(0, I). With `nets=mlp
 * likelihood=discretized_logistic` it is the released code (iShohei220/LAE), with repairs where that does not run.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { mapTree } from "../harness/core/tree.ts";
import type { Method, Model, Noise, PartialImages, Problem } from "../harness/core/types.ts";
import { amortizedEncoder } from "./parts/amortized_encoder.ts";
import { checkCounts, checkPositive } from "./parts/checks.ts";
import { longChain } from "./parts/free_chains.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import { checkPosteriorChain, posteriorChain } from "./parts/latent_chains.ts";
import { gaussianJoint } from "./parts/joint_density.ts";
import { toModelRange } from "./parts/likelihood.ts";
import type { NetParams } from "./parts/nets.ts";
import {
  OBSERVATION_DEFAULTS,
  OBSERVATION_DEVIATIONS,
  observationModel,
  type ObservationParams,
  sigmaOf,
} from "./parts/observation_model.ts";
import { downhill } from "./parts/optimizer.ts";
import { shortageOf } from "./parts/rank_condition.ts";
import { halfSquaredNorm, logJoint, sampleStandardNormal } from "./parts/standard_normal.ts";
import { stepFlops } from "./parts/step_flops.ts";
import { langevinStep } from "./samplers/langevin.ts";
import { metropolisStep, type Position } from "./samplers/metropolis.ts";

/** Sigma is learned, starting at its value for tau = 0. */
const SIGMA = { sigma: 1.2011, learnSigma: true }; // softplus(0)^(-1/2)

const { sigma: _sigma, learnSigma: _learnSigma, ...networks } = OBSERVATION_DEFAULTS;

const defaults = {
  ...networks,
  chainSteps: 2, // T
  chainStepSize: 1e-4, // eta
  sgdLearningRate: 1e-4, // of decoder, tau and features
  metropolis: true, // whether moves of Phi are accepted or rejected; off by default on the command line of the released code
  posteriorStepSize: 0.005, // of the free chains of diagnostics: eta = s^2 / 2 with s = 0.1, LEBM's code
};

/** Standard deviation of q(z | x) about the encoder's output, in the released evaluation. */
const TEST_DEVIATION = 0.05;

/** Parameters learned by SGD: features, decoder, and tau with sigma = softplus(tau)^(-1/2). */
type Learned = {
  readonly features?: NetParams;
  readonly decoder: NetParams;
  readonly tau: tf.Scalar;
};
/** Log sigma is derived from tau and stored for the functions that read it. */
type State = Learned & ObservationParams & { readonly phi: tf.Tensor2D };

/** Arguments of U of a minibatch besides the decoder. */
interface Inputs {
  /** Images [m, height, width, channels] in [-1, 1]. */
  readonly x: tf.Tensor;
  /** Their pixels to learn from, as of `Batch`. */
  readonly seen?: tf.Tensor;
  /** Features, [m, d]. */
  readonly g: tf.Tensor2D;
  readonly phi: tf.Tensor2D;
}

function build(problem: Problem, hyper: typeof defaults): Model<State> {
  const { trainCount, batchSize } = problem;
  const { latentDim, chainSteps, chainStepSize, sgdLearningRate, metropolis } = hyper;
  checkPositive({ chainStepSize, sgdLearningRate });
  checkCounts({ chainSteps }, 1);
  checkPosteriorChain({ posteriorSteps: 1, ...hyper });
  const model = observationModel(problem.image, { ...hyper, ...SIGMA });
  const encoder = amortizedEncoder(problem.image, hyper);

  /** U_i = -log p(x_i | z_i) + ||z_i||^2 / 2 with z = g Phi, [m], and the squared error. */
  const potential = (
    params: ObservationParams,
    { x, seen, g, phi }: Inputs,
  ) => {
    const z = tf.matMul(g, phi);
    const { negLog, squaredError } = model.reconstruct(params, { latents: z, x, seen });
    return { energies: tf.add<tf.Tensor1D>(negLog, halfSquaredNorm(z)), squaredError };
  };

  /** One move of Phi for exp(-sum of U over the minibatch), step size eta / m. */
  const moveChain = (
    params: ObservationParams,
    { phi, noise, ...given }: Inputs & { readonly noise: Noise },
  ): { readonly phi: tf.Tensor2D; readonly acceptance: tf.Scalar } => {
    const { shape, size } = phi;
    const m = given.x.shape[0];
    const evaluate = (w: tf.Tensor2D): Position => {
      // The mean, as in the loss of the learned parameters, so that both share one pass through the decoder; then times m.
      const { parts, gradients } = lossAndGradients(
        ({ phi }) => ({ loss: tf.mean<tf.Scalar>(potential(params, { ...given, phi }).energies) }),
        { phi: tf.reshape(w, shape) as tf.Tensor2D },
      );
      return {
        w,
        energy: tf.mul(tf.reshape(parts.loss, [1]), m),
        gradient: tf.mul(tf.reshape(gradients.phi, [1, size]), m),
      };
    };
    const current = evaluate(tf.reshape(phi, [1, size]));
    const stepSize = chainStepSize / m;
    const xi = noise.split("xi").normal<tf.Tensor2D>([1, size]);
    if (!metropolis) {
      const moved = langevinStep(current.w, { gradient: current.gradient, xi, stepSize });
      return { phi: tf.reshape(moved, shape), acceptance: tf.scalar(1) };
    }
    const uniform = noise.split("uniform").uniform<tf.Tensor1D>([1]);
    const { position, accepted } = metropolisStep(current, evaluate, { stepSize, xi, uniform });
    return { phi: tf.reshape(position.w, shape), acceptance: tf.mean(accepted) };
  };

  /** The mean of U at `phi` plus the prior of tau over n, with gradients in the parameters learned by SGD. */
  const lossAt = (
    learned: Learned,
    { x, seen, phi }: Omit<Inputs, "g">,
  ) =>
    lossAndGradients((params) => {
      const g = encoder.features(params, x);
      const observation = { decoder: params.decoder, logSigma: logSigmaOf(params.tau) };
      const { energies, squaredError } = potential(observation, { x, seen, g, phi });
      const { tau } = params;
      // Logistic(0, 1) prior of tau: -log p = tau + 2 softplus(-tau).
      const prior = tf.div(tf.add(tau, tf.mul(tf.softplus(tf.neg(tau)), 2)), trainCount);
      return { loss: tf.add<tf.Scalar>(tf.mean(energies), prior), squaredError };
    }, learned);

  /** A draw of N(Phi g(x), 0.05^2 I), as in the released evaluation. */
  const infer = (state: State, { images }: PartialImages, noise: Noise): tf.Tensor2D => {
    const mean = encoder.encode(state, toModelRange(images));
    return tf.add(mean, tf.mul(noise.split("latents").normal(mean.shape), TEST_DEVIATION));
  };

  return {
    warnings: shortageOf(
      "encoder",
      { features: encoder.featureCount, chains: batchSize },
      "rows a batch",
    ),

    // Every move except the first has a learning step; each evaluates its potential at its start and at its proposal.
    flops: stepFlops(
      batchSize,
      encoder.macs.features +
        chainSteps * (3 * encoder.macs.features + 3 * model.macs + encoder.macs.phi * 2) +
        (chainSteps + 1) * (metropolis ? 2 : 1) * 2 * (model.macs + encoder.macs.phi),
    ),

    /** Trained features and decoder, the chain Phi, and tau. */
    init(noise) {
      const tau = tf.scalar(0);
      // Deviation: The decoder's input size and the warm-up call of LAE's released code are repaired: as released it does not run
      return { ...model.init(noise), ...encoder.init(noise), tau, logSigma: logSigmaOf(tau) };
    },

    /**
     * chainSteps + 1 moves of Phi on the minibatch's potential, the first as a warm-up. SGD then minimizes over decoder, tau and
     * features the mean of U over rows and over the other moves, each at the Phi before it, plus the prior of tau over n.
     */
    step(state, { images, seen }, noise) {
      const x = toModelRange(images);
      const { features, decoder, tau } = state;
      const learned: Learned = { ...(features && { features }), decoder, tau };
      const g = encoder.features(state, x);
      const now = { decoder, logSigma: logSigmaOf(tau) };
      let phi = state.phi;
      const evaluations: ReturnType<typeof lossAt>[] = [];
      const acceptances: tf.Scalar[] = [];
      for (let move = 0; move <= chainSteps; move++) {
        if (move > 0) evaluations.push(lossAt(learned, { x, seen, phi }));
        const next = moveChain(now, { x, seen, g, phi, noise: noise.split("move", move) });
        phi = next.phi;
        acceptances.push(next.acceptance);
      }
      const [first, ...others] = evaluations.map(({ gradients }) => gradients);
      const next = mapTree(
        learned,
        ([w, ...gradients]) =>
          downhill(w, { gradient: average(gradients), learningRate: sgdLearningRate }),
        first,
        ...others,
      );
      return {
        state: { ...state, ...next, phi, logSigma: logSigmaOf(next.tau) },
        metrics: {
          loss: average(evaluations.map(({ parts }) => parts.loss)),
          squaredError: average(evaluations.map(({ parts }) => parts.squaredError)),
          acceptance: average(acceptances),
          sigma: sigmaOf(state),
        },
      };
    },

    sample: (state, { count }, noise) =>
      sampleStandardNormal(model, { params: state, count, latentDim, noise }),

    latents: {
      dim: latentDim,
      infer: (state, images, noise) => infer(state, { images }, noise),
      decode: model.decode,
    },

    joint: gaussianJoint(model, latentDim),
    partial: { needsPartialTraining: true, infer },

    likelihood: {
      logWeight: (state, images, noise) => {
        const x = toModelRange(images);
        const mean = encoder.encode(state, x);
        const xi = noise.split("latents").normal(mean.shape);
        const latents: tf.Tensor2D = tf.add(mean, tf.mul(xi, TEST_DEVIATION));
        const terms = tf.add(tf.square(xi), Math.log(2 * Math.PI * TEST_DEVIATION ** 2));
        const negLogDensity = tf.mul(tf.sum<tf.Tensor1D>(terms, 1), 0.5);
        return tf.add(logJoint(model, { params: state, latents, x }), negLogDensity);
      },
    },

    amortized: {
      features: (state, images) => encoder.features(state, toModelRange(images)),
      latents: (state, images) => encoder.encode(state, toModelRange(images)),
      /** One move of Phi, with decoder, tau and features fixed. */
      move: (state, { images, seen }, noise) => {
        const x = toModelRange(images);
        const g = encoder.features(state, x);
        return { ...state, phi: moveChain(state, { x, seen, g, phi: state.phi, noise }).phi };
      },
      freeChains: (state, images, noise) => {
        const x = toModelRange(images);
        return posteriorChain(model, {
          params: state,
          energy: halfSquaredNorm,
          x,
          start: encoder.encode(state, x),
          hyper: longChain(hyper),
          noise,
        });
      },
    },

    // Its potential is that of a minibatch of any size m, with a step size of eta / m.
    langevinChains: [{
      name: "Phi",
      steps: chainSteps,
      prepare: (state, { images, seen }) => {
        const x = toModelRange(images);
        const g = encoder.features(state, x);
        return {
          start: tf.reshape(state.phi, [1, state.phi.size]),
          stepSize: chainStepSize / x.shape[0],
          energy: (w) => {
            const phi: tf.Tensor2D = tf.reshape(w, state.phi.shape);
            return tf.expandDims<tf.Tensor2D>(potential(state, { x, seen, g, phi }).energies, 0);
          },
        };
      },
    }],
  };
}

/** log sigma of sigma = softplus(tau)^(-1/2). */
function logSigmaOf(tau: tf.Scalar): tf.Scalar {
  return tf.mul(tf.log(tf.softplus(tau)), -0.5);
}

/** The mean of tensors of one shape. */
function average<T extends tf.Tensor>(tensors: readonly T[]): T {
  return tf.div(tensors.reduce((sum, t) => tf.add(sum, t)), tensors.length);
}

export const lae_neurips: Method<typeof defaults> = {
  name: "lae_neurips",
  label: "LAE (NeurIPS)",
  description: "LD + amortization",
  source: "Langevin Autoencoders (NeurIPS 2022), and its released code (iShohei220/LAE)",
  deviations: [
    ...OBSERVATION_DEVIATIONS,
    "The decoder's input size and the warm-up call of LAE's released code are repaired: as released it does not run",
  ],
  defaults,
  ranges: {
    sgdLearningRate: { scale: "log", low: 3e-5, high: 1e-3 },
    chainStepSize: { scale: "log", low: 1e-6, high: 1e-2 },
    chainSteps: { scale: "integer", low: 1, high: 5 },
  },
  build,
};
