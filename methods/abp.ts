/** Alternating back-propagation (Han et al. 2017), the row ABP of Table 1. */
import * as tf from "@tensorflow/tfjs";
import type { Batch, Method, Model, Noise, PartialImages, Problem } from "../harness/core/types.ts";
import { adam, type AdamSlots, initAdam } from "./parts/adam.ts";
import { checkPositive } from "./parts/checks.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import { chainFromStart, gaussianJoint } from "./parts/joint_density.ts";
import { checkPosteriorChain, posteriorChain, preparePosterior } from "./parts/latent_chains.ts";
import { toModelRange } from "./parts/likelihood.ts";
import {
  type LearnedParams,
  OBSERVATION_DEFAULTS,
  OBSERVATION_DEVIATIONS,
  observationModel,
  type ObservationParams,
  sigmaOf,
} from "./parts/observation_model.ts";
import { halfSquaredNorm, sampleStandardNormal } from "./parts/standard_normal.ts";
import { stepFlops } from "./parts/step_flops.ts";

const defaults = {
  ...OBSERVATION_DEFAULTS,
  learnSigma: false, // sigma is a constant, 0.3, in ABP's and LEBM's code
  learningRate: 1e-4, // LEBM's code
  posteriorSteps: 20, // K1 of LEBM's code; the paper does not say
  posteriorStepSize: 0.005, // eta = s^2 / 2 with s = 0.1: LEBM's code
  persistent: false, // true: chains continue from epoch to epoch, as in Han et al., instead of starting at N(0, I)
};

type State = ObservationParams & { readonly adam: AdamSlots<LearnedParams> };

function build(problem: Problem, hyper: typeof defaults): Model<State> {
  const { latentDim, learningRate, posteriorSteps, persistent } = hyper;
  checkPositive({ learningRate });
  checkPosteriorChain(hyper);
  const model = observationModel(problem.image, hyper);
  // Deviation: Chains start at N(0, I) in every step by default, as in LEBM's code: persistent chains are Han et al.'s
  const startOf = (
    { images, chains }: Pick<Batch, "images" | "chains">,
    noise: Noise,
  ): tf.Tensor2D =>
    persistent
      ? tf.reshape(chains.latents, [images.shape[0], latentDim])
      : noise.split("start").normal([images.shape[0], latentDim]);

  const chainFrom = chainFromStart<State>(model, { energyOf: () => halfSquaredNorm, hyper });
  /** The end of a chain from N(0, I). */
  const infer = (
    state: State,
    { images, seen }: PartialImages,
    noise: Noise,
  ): tf.Tensor2D => {
    const start = noise.split("start").normal<tf.Tensor2D>([images.shape[0], latentDim]);
    return chainFrom(state, { images, seen, start }, noise);
  };

  return {
    ...(persistent && { chains: { latents: [latentDim] } }),
    flops: stepFlops(problem.batchSize, 2 * posteriorSteps * model.macs + 3 * model.macs),

    init(noise) {
      const params = model.init(noise);
      return { ...params, adam: initAdam(model.learned(params)) };
    },

    /** Inferential back-propagation, K Langevin steps for z, then learning back-propagation, one step of Adam for the decoder. */
    step(state, { images, step, chains, seen }, noise) {
      const x = toModelRange(images);
      const start = startOf({ images, chains }, noise);
      const energy = halfSquaredNorm;
      const latents = posteriorChain(model, {
        params: state,
        energy,
        x,
        seen,
        start,
        hyper,
        noise,
      });
      const { parts, gradients } = lossAndGradients((params) => {
        const all = { ...state, ...params };
        const { negLog, squaredError } = model.reconstruct(all, { latents, x, seen });
        return { loss: tf.mean<tf.Scalar>(negLog), squaredError };
      }, model.learned(state));
      const { params, slots } = adam(
        { params: model.learned(state), slots: state.adam },
        { gradients, learningRate, step },
      );
      return {
        state: model.boundSigma({ ...state, ...params, adam: slots }),
        metrics: {
          ...parts,
          halfSquaredNorm: tf.mean(halfSquaredNorm(latents)),
          sigma: sigmaOf(state),
        },
        ...(persistent && { chains: { latents } }),
      };
    },

    sample: (state, { count }, noise) =>
      sampleStandardNormal(model, { params: state, count, latentDim, noise }),

    latents: {
      dim: latentDim,
      infer: (state, images, noise) => infer(state, { images }, noise),
      decode: model.decode,
    },

    langevinChains: [{
      name: "posterior",
      steps: posteriorSteps,
      prepare: (state, batch, noise) =>
        preparePosterior(model, {
          params: state,
          energy: halfSquaredNorm,
          x: toModelRange(batch.images),
          seen: batch.seen,
          start: startOf(batch, noise),
          hyper,
        }),
    }],
    joint: { ...gaussianJoint(model, latentDim), chainFrom },
    partial: { needsPartialTraining: false, infer },
  };
}

export const abp: Method<typeof defaults> = {
  name: "abp",
  label: "ABP",
  description: "LD",
  source:
    "Han et al. 2017, algorithm 1; networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [
    ...OBSERVATION_DEVIATIONS,
    "Chains start at N(0, I) in every step by default, as in LEBM's code: persistent chains are Han et al.'s",
  ],
  defaults,
  ranges: {
    learningRate: { scale: "log", low: 1e-4, high: 1e-2 },
    sigma: { scale: "log", low: 0.1, high: 1.5 },
    posteriorStepSize: { scale: "log", low: 1e-3, high: 0.2 },
  },
  build,
};
