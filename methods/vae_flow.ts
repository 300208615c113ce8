/** VAE with planar flows in the posterior (Rezende and Mohamed 2015), the row VAE-flow of Table 1. */
import * as tf from "@tensorflow/tfjs";
import type { Method, Model, Noise, PartialImages, Problem } from "../harness/core/types.ts";
import { checkCounts } from "./parts/checks.ts";
import {
  type DiagonalGaussian,
  drawFrom,
  entropy,
  gaussianEncoder,
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
import { type FlowParams, initPlanarFlow, planarFlow } from "./parts/planar_flow.ts";
import { halfSquaredNorm, logJoint, sampleStandardNormal } from "./parts/standard_normal.ts";
import { stepFlops } from "./parts/step_flops.ts";

const defaults = {
  ...OBSERVATION_DEFAULTS,
  optimizer: "adam", // LEBM's code, on which the paper's baselines are based (F.3); the NeurIPS version has sgd for all
  learningRate: 1e-4, // LEBM's code, and the NeurIPS version
  flowCount: 3, // LAE's code at NeurIPS 2022; the paper does not say
};

type Inference = { readonly encoder: NetParams; readonly flow: FlowParams };
type Learned = LearnedParams & Inference;
type Params = ObservationParams & Inference;
type State = Params & OptimizerState<Learned>;

function build(problem: Problem, hyper: typeof defaults): Model<State> {
  const { latentDim, flowCount } = hyper;
  checkCounts({ flowCount }, 1);
  const model = observationModel(problem.image, hyper);
  const encoder = gaussianEncoder(problem.image, hyper);
  const optimizer = optimizerOf<Learned>(hyper);
  const learned = (params: Params): Learned => ({
    encoder: params.encoder,
    flow: params.flow,
    ...model.learned(params),
  });

  /** A draw of q. */
  const infer = (state: State, { images }: PartialImages, noise: Noise): tf.Tensor2D => {
    const q = encoder.encode(state.encoder, toModelRange(images));
    const xi = noise.split("latents").normal([images.shape[0], latentDim]);
    return transport(state.flow, { q, xi }).latents;
  };

  return {
    flops: stepFlops(problem.batchSize, 3 * encoder.macs + 3 * model.macs), // the flow adds less than 0.01 %

    init(noise) {
      const params = {
        ...model.init(noise),
        encoder: encoder.init(noise),
        flow: initPlanarFlow({ count: flowCount, latentDim }, noise),
      };
      return { ...params, ...optimizer.init(learned(params)) };
    },

    /** One optimizer step on E_q[-log p(x | z_K) - log N(z_K; 0, I) - log |det|] - H(q_0), eq. 15, with one draw per image. */
    step(state, { images, step, seen }, noise) {
      const x = toModelRange(images);
      const xi = noise.split("latents").normal([x.shape[0], latentDim]);
      const { parts, gradients } = lossAndGradients((params) => {
        const all = { ...state, ...params };
        const q = encoder.encode(all.encoder, x);
        const { latents, divergence } = transport(all.flow, { q, xi });
        const { negLog, squaredError } = model.reconstruct(all, { latents, x, seen });
        const kl = tf.mean<tf.Scalar>(divergence);
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
      /** log p(x, z_K) - log q(z_K | x), where log q(z_K | x) = log q(z_0 | x) - sum of log |det|. */
      logWeight: (state, images, noise) => {
        const x = toModelRange(images);
        const q = encoder.encode(state.encoder, x);
        const start = drawFrom(q, noise.split("latents").normal(q.mean.shape));
        const { latents, logDet } = planarFlow(state.flow, start);
        const logProposal = tf.sub(logDensity(q, start), logDet);
        return tf.sub(logJoint(model, { params: state, latents, x }), logProposal);
      },
    },
  };
}

/** A draw of q(z_0 | x) through the flow, and log q(z_K | x) - log N(z_K; 0, I) with the entropy of q_0 in closed form. */
function transport(
  flow: FlowParams,
  { q, xi }: { readonly q: DiagonalGaussian; readonly xi: tf.Tensor },
): { readonly latents: tf.Tensor2D; readonly divergence: tf.Tensor1D } {
  const { latents, logDet } = planarFlow(flow, drawFrom(q, xi));
  const [, latentDim] = latents.shape;
  const negLogPrior = tf.add(halfSquaredNorm(latents), 0.5 * latentDim * Math.log(2 * Math.PI));
  return { latents, divergence: tf.sub(tf.sub(negLogPrior, entropy(q)), logDet) };
}

export const vae_flow: Method<typeof defaults> = {
  name: "vae_flow",
  label: "VAE-flow",
  description: "VI + amortization + flow",
  source:
    "Rezende and Mohamed 2015, eq. 10-15 and A.1; networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [...OBSERVATION_DEVIATIONS, ...OPTIMIZER_DEVIATIONS],
  defaults,
  ranges: {
    learningRate: { scale: "log", low: 1e-4, high: 1e-2 },
    sigma: { scale: "log", low: 0.1, high: 1.5 },
    flowCount: { scale: "integer", low: 1, high: 8 },
  },
  build,
};
