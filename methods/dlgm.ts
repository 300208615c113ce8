/** Deep latent Gaussian model learned with Langevin chains that an encoder starts (Hoffman 2017), the row DLGM of Table 1. */
import * as tf from "@tensorflow/tfjs";
import type { Method, Model, Noise, PartialImages, Problem } from "../harness/core/types.ts";
import {
  drawFrom,
  gaussianEncoder,
  gaussianLogWeight,
  klToStandardNormal,
} from "./parts/gaussian_encoder.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import { chainFromStart, gaussianJoint } from "./parts/joint_density.ts";
import { checkPosteriorChain, posteriorChain, preparePosterior } from "./parts/latent_chains.ts";
import { toModelRange } from "./parts/likelihood.ts";
import type { NetParams } from "./parts/nets.ts";
import {
  type LearnedParams,
  OBSERVATION_DEFAULTS,
  OBSERVATION_DEVIATIONS,
  observationModel,
  type ObservationParams,
  sigmaOf,
} from "./parts/observation_model.ts";
import { OPTIMIZER_DEVIATIONS, optimizerOf, type OptimizerState } from "./parts/optimizer.ts";
import { halfSquaredNorm, sampleStandardNormal } from "./parts/standard_normal.ts";
import { stepFlops } from "./parts/step_flops.ts";

const defaults = {
  ...OBSERVATION_DEFAULTS,
  learnSigma: false, // 0.3 as in LEBM's code, on which the paper's baselines are based (F.3)
  optimizer: "adam", // LEBM's code; the NeurIPS version has sgd for all methods
  learningRate: 1e-4, // LEBM's code, and the NeurIPS version
  posteriorSteps: 20, // K1 of LEBM's code; LAE's code at NeurIPS 2022 has 2
  posteriorStepSize: 0.005, // eta = s^2 / 2 with s = 0.1: LEBM's code, and the NeurIPS version
};

type Learned = LearnedParams & { readonly encoder: NetParams };
type Params = ObservationParams & { readonly encoder: NetParams };
type State = Params & OptimizerState<Learned>;

function build(problem: Problem, hyper: typeof defaults): Model<State> {
  const { latentDim, posteriorSteps } = hyper;
  checkPosteriorChain(hyper);
  const model = observationModel(problem.image, hyper);
  const encoder = gaussianEncoder(problem.image, hyper);
  const optimizer = optimizerOf<Learned>(hyper);
  const learned = (params: Params): Learned => ({
    encoder: params.encoder,
    ...model.learned(params),
  });

  const chainFrom = chainFromStart<State>(model, { energyOf: () => halfSquaredNorm, hyper });
  /** The end of a chain from the encoder's draw. */
  const infer = (
    state: State,
    { images, seen }: PartialImages,
    noise: Noise,
  ): tf.Tensor2D => {
    const x = toModelRange(images);
    const xi = noise.split("start").normal([x.shape[0], latentDim]);
    const start = drawFrom(encoder.encode(state.encoder, x), xi);
    return chainFrom(state, { images, seen, start }, noise);
  };

  return {
    // The decoder learns only from the end of the chain: 2 passes at its start.
    flops: stepFlops(
      problem.batchSize,
      3 * encoder.macs + (2 + 2 * posteriorSteps + 3) * model.macs,
    ),

    init(noise) {
      const params = { ...model.init(noise), encoder: encoder.init(noise) };
      return { ...params, ...optimizer.init(learned(params)) };
    },

    /**
     * One optimizer step of the encoder on -ELBO at its own draw z_0, and one of the decoder on -log p(x | z_K) at the end of
     * the chain from z_0.
     */
    step(state, { images, step, seen }, noise) {
      const x = toModelRange(images);
      const xi = noise.split("start").normal([x.shape[0], latentDim]);
      const inference = lossAndGradients((params) => {
        const q = encoder.encode(params.encoder, x);
        const { negLog } = model.reconstruct(state, { latents: drawFrom(q, xi), x, seen });
        const kl = tf.mean<tf.Scalar>(klToStandardNormal(q));
        return { loss: tf.add<tf.Scalar>(tf.mean(negLog), kl), kl };
      }, { encoder: state.encoder });

      const start = drawFrom(encoder.encode(state.encoder, x), xi);
      // Deviation: Langevin steps of a fixed size replace Hoffman's Hamiltonian Monte Carlo with adapted step sizes, as the paper's table says (LD)
      const latents = posteriorChain(model, {
        params: state,
        energy: halfSquaredNorm,
        x,
        seen,
        start,
        hyper,
        noise,
      });
      const generation = lossAndGradients((params) => {
        const all = { ...state, ...params };
        const { negLog, squaredError } = model.reconstruct(all, { latents, x, seen });
        return { loss: tf.mean<tf.Scalar>(negLog), squaredError };
      }, model.learned(state));

      const next = optimizer.descend(learned(state), {
        slots: state,
        gradients: { ...inference.gradients, ...generation.gradients },
        step,
      });
      return {
        state: model.boundSigma({ ...state, ...next }),
        metrics: {
          loss: inference.parts.loss,
          kl: inference.parts.kl,
          reconstruction: generation.parts.loss,
          squaredError: generation.parts.squaredError,
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

    joint: { ...gaussianJoint(model, latentDim), chainFrom },
    partial: { needsPartialTraining: false, infer },

    likelihood: {
      logWeight: (state, images, noise) =>
        gaussianLogWeight({ model, encoder }, { params: state, images, noise }),
    },

    langevinChains: [{
      name: "posterior",
      steps: posteriorSteps,
      prepare: (state, { images, seen }, noise) => {
        const x = toModelRange(images);
        const xi = noise.split("start").normal([x.shape[0], latentDim]);
        const start = drawFrom(encoder.encode(state.encoder, x), xi);
        const energy = halfSquaredNorm;
        return preparePosterior(model, { params: state, energy, x, seen, start, hyper });
      },
    }],
  };
}

export const dlgm: Method<typeof defaults> = {
  name: "dlgm",
  label: "DLGM",
  description: "LD + amortized init",
  source:
    "Hoffman 2017, algorithm 1; LAE's code at NeurIPS 2022 (baseline DLGM); networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [
    ...OBSERVATION_DEVIATIONS,
    ...OPTIMIZER_DEVIATIONS,
    "Langevin steps of a fixed size replace Hoffman's Hamiltonian Monte Carlo with adapted step sizes, as the paper's table says (LD)",
  ],
  defaults,
  ranges: {
    learningRate: { scale: "log", low: 1e-4, high: 1e-2 },
    sigma: { scale: "log", low: 0.1, high: 1.5 },
    posteriorStepSize: { scale: "log", low: 1e-3, high: 0.2 },
  },
  build,
};
