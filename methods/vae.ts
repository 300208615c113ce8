/** Variational autoencoder (Kingma and Welling 2014), the row VAE of Table 1. */
import * as tf from "@tensorflow/tfjs";
import type { Method, Model, Noise, PartialImages, Problem } from "../harness/core/types.ts";
import {
  drawFrom,
  gaussianEncoder,
  gaussianLogWeight,
  klToStandardNormal,
} from "./parts/gaussian_encoder.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import { gaussianJoint } from "./parts/joint_density.ts";
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
import { sampleStandardNormal } from "./parts/standard_normal.ts";
import { stepFlops } from "./parts/step_flops.ts";

const defaults = {
  ...OBSERVATION_DEFAULTS,
  optimizer: "adam", // LEBM's code, on which the paper's baselines are based (F.3); the NeurIPS version has sgd for all
  learningRate: 1e-4, // LEBM's code, and the NeurIPS version
};

type Learned = LearnedParams & { readonly encoder: NetParams };
type Params = ObservationParams & { readonly encoder: NetParams };
type State = Params & OptimizerState<Learned>;

function build(problem: Problem, hyper: typeof defaults): Model<State> {
  const { latentDim } = hyper;
  const model = observationModel(problem.image, hyper);
  const encoder = gaussianEncoder(problem.image, hyper);
  const optimizer = optimizerOf<Learned>(hyper);
  const learned = (params: Params): Learned => ({
    encoder: params.encoder,
    ...model.learned(params),
  });

  /** A draw of q. */
  const infer = (state: State, { images }: PartialImages, noise: Noise): tf.Tensor2D => {
    const q = encoder.encode(state.encoder, toModelRange(images));
    return drawFrom(q, noise.split("latents").normal([images.shape[0], latentDim]));
  };

  return {
    flops: stepFlops(problem.batchSize, 3 * encoder.macs + 3 * model.macs),

    init(noise) {
      const params = { ...model.init(noise), encoder: encoder.init(noise) };
      return { ...params, ...optimizer.init(learned(params)) };
    },

    /** One optimizer step on -ELBO = E_q[-log p(x | z)] + KL(q(z | x) || N(0, I)), with one draw of z per image. */
    step(state, { images, step, seen }, noise) {
      const x = toModelRange(images);
      const xi = noise.split("latents").normal([x.shape[0], latentDim]);
      const { parts, gradients } = lossAndGradients((params) => {
        const all = { ...state, ...params };
        const q = encoder.encode(all.encoder, x);
        const { negLog, squaredError } = model.reconstruct(all, {
          latents: drawFrom(q, xi),
          x,
          seen,
        });
        const kl = tf.mean<tf.Scalar>(klToStandardNormal(q));
        return { loss: tf.add<tf.Scalar>(tf.mean(negLog), kl), kl, squaredError };
      }, learned(state));
      const next = optimizer.descend(learned(state), { slots: state, gradients, step });
      return {
        state: model.boundSigma({ ...state, ...next }),
        metrics: { ...parts, sigma: sigmaOf(state) },
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
      logWeight: (state, images, noise) =>
        gaussianLogWeight({ model, encoder }, { params: state, images, noise }),
    },
  };
}

export const vae: Method<typeof defaults> = {
  name: "vae",
  label: "VAE",
  description: "VI + amortization",
  source:
    "Kingma and Welling 2014, eq. 10; networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [...OBSERVATION_DEVIATIONS, ...OPTIMIZER_DEVIATIONS],
  defaults,
  ranges: {
    learningRate: { scale: "log", low: 1e-4, high: 1e-2 },
    sigma: { scale: "log", low: 0.1, high: 1.5 },
    learnSigma: { scale: "choice", values: [true, false] },
  },
  build,
};
