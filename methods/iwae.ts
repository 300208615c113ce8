/** Importance-weighted autoencoder (Burda, Grosse and Salakhutdinov 2016): a VAE that climbs a tighter bound. */
import * as tf from "@tensorflow/tfjs";
import type { Method, Model, Noise, PartialImages, Problem } from "../harness/core/types.ts";
import { checkCounts } from "./parts/checks.ts";
import {
  drawFrom,
  gaussianEncoder,
  gaussianLogWeight,
  logDensity,
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
import { logStandardNormal, sampleStandardNormal } from "./parts/standard_normal.ts";
import { stepFlops } from "./parts/step_flops.ts";

const defaults = {
  ...OBSERVATION_DEFAULTS,
  optimizer: "adam", // Burda et al., section 5; sgd is that of the NeurIPS version of LAE
  learningRate: 1e-4, // as the VAE beside it
  importanceSamples: 5, // k: Burda et al. have 1, 5 and 50
};

type Learned = LearnedParams & { readonly encoder: NetParams };
type Params = ObservationParams & { readonly encoder: NetParams };
type State = Params & OptimizerState<Learned>;

function build(problem: Problem, hyper: typeof defaults): Model<State> {
  const { latentDim, importanceSamples: k } = hyper;
  checkCounts({ importanceSamples: k }, 1);
  const model = observationModel(problem.image, hyper);
  const encoder = gaussianEncoder(problem.image, hyper);
  const optimizer = optimizerOf<Learned>(hyper);
  const learned = (params: Params): Learned => ({
    encoder: params.encoder,
    ...model.learned(params),
  });

  /** log w = log p(x, z) - log q(z | x) at the draws of q that `xi` [k, m, latentDim] gives: [k, m]. */
  const logWeights = (
    params: Params,
    { x, seen, xi }: {
      readonly x: tf.Tensor4D;
      readonly seen?: tf.Tensor4D;
      readonly xi: tf.Tensor;
    },
  ): { readonly logW: tf.Tensor2D; readonly squaredError: tf.Scalar } => {
    const [m] = x.shape;
    const q = encoder.encode(params.encoder, x);
    const z = drawFrom<tf.Tensor3D>(q, xi);
    const latents: tf.Tensor2D = tf.reshape(z, [k * m, latentDim]);
    const repeated = { x: tf.tile(x, [k, 1, 1, 1]), seen: seen && tf.tile(seen, [k, 1, 1, 1]) };
    const { negLog, squaredError } = model.reconstruct(params, { latents, ...repeated });
    const logJoint = tf.reshape(tf.sub(logStandardNormal(latents), negLog), [k, m]);
    return { logW: tf.sub(logJoint, logDensity<tf.Tensor2D>(q, z)), squaredError };
  };

  /** A draw of q, not of the distribution that resampling by the weights would give. */
  const infer = (state: State, { images }: PartialImages, noise: Noise): tf.Tensor2D => {
    const q = encoder.encode(state.encoder, toModelRange(images));
    return drawFrom(q, noise.split("latents").normal([images.shape[0], latentDim]));
  };

  return {
    flops: stepFlops(problem.batchSize, 3 * encoder.macs + 3 * k * model.macs),

    init(noise) {
      const params = { ...model.init(noise), encoder: encoder.init(noise) };
      return { ...params, ...optimizer.init(learned(params)) };
    },

    /** One optimizer step on -log (1/k) sum_i w_i, w_i = p(x, z_i) / q(z_i | x), with k draws z_i per image. Eq. 8 and 14. */
    step(state, { images, step, seen }, noise) {
      const x = toModelRange(images);
      const xi = noise.split("latents").normal([k, x.shape[0], latentDim]);
      const { parts, gradients } = lossAndGradients((params) => {
        const { logW, squaredError } = logWeights({ ...state, ...params }, { x, seen, xi });
        const bound = tf.sub(tf.logSumExp(logW, 0), Math.log(k));
        return {
          loss: tf.neg<tf.Scalar>(tf.mean(bound)),
          negElbo: tf.neg<tf.Scalar>(tf.mean(logW)),
          squaredError,
        };
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

export const iwae: Method<typeof defaults> = {
  name: "iwae",
  label: "IWAE",
  description: "VI + amortization + importance weights",
  source:
    "Burda, Grosse and Salakhutdinov 2016, eq. 8 and 14; networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [...OBSERVATION_DEVIATIONS, ...OPTIMIZER_DEVIATIONS],
  defaults,
  ranges: {
    learningRate: { scale: "log", low: 1e-4, high: 1e-2 },
    sigma: { scale: "log", low: 0.1, high: 1.5 },
    importanceSamples: { scale: "integer", low: 2, high: 20 },
  },
  build,
};
