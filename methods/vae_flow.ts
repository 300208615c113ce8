/** VAE with planar flows in the posterior (Rezende and Mohamed 2015), the row VAE-flow of Table 1. */
import * as tf from "@tensorflow/tfjs";
import type { Batch, Method, Noise, Problem, State, StepResult } from "../harness/core/types.ts";
import { encoderNet } from "./parts/architectures.ts";
import { checkCounts, checkPositive } from "./parts/checks.ts";
import {
  type DiagonalGaussian,
  drawFrom,
  encode,
  entropy,
  logDensity,
} from "./parts/gaussian_encoder.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import { toModelRange } from "./parts/likelihood.ts";
import {
  boundSigma,
  checkModel,
  decode,
  initModel,
  MODEL_DEFAULTS,
  MODEL_DEVIATIONS,
  modelParameters,
  namesBelow,
  pick,
  reconstruct,
  sigmaOf,
} from "./parts/model.ts";
import { initNet } from "./parts/nets.ts";
import { checkOptimizer, descend, initOptimizer, OPTIMIZER_DEVIATIONS } from "./parts/optimizer.ts";
import { initPlanarFlow, planarFlow } from "./parts/planar_flow.ts";
import { halfSquaredNorm, logJoint, sampleStandardNormal } from "./parts/standard_normal.ts";

const defaults = {
  ...MODEL_DEFAULTS,
  optimizer: "adam", // LEBM's code, which the paper's baselines are based on (F.3); the NeurIPS version has sgd for all
  learningRate: 1e-4, // LEBM's code, and the NeurIPS version
  flowCount: 3, // LAE's code at NeurIPS 2022; the paper does not say
};

type Hyper = Readonly<typeof defaults>;

function check(problem: Problem, hyper: Hyper): void {
  checkModel(problem, hyper);
  checkOptimizer(hyper);
  checkPositive({ learningRate: hyper.learningRate });
  checkCounts({ flowCount: hyper.flowCount }, 1);
}

function init(problem: Problem, hyper: Hyper, noise: Noise): State {
  const { latentDim, flowCount } = hyper;
  const state = {
    ...initModel(problem, hyper, noise),
    ...initNet(encoderNet(problem.image, hyper, 2 * latentDim), noise),
    ...initPlanarFlow({ count: flowCount, latentDim }, noise),
  };
  return { ...state, ...initOptimizer(state, trained(state, hyper), hyper) };
}

function trained(state: State, hyper: Hyper): string[] {
  return [
    ...namesBelow(state, "encoder"),
    ...namesBelow(state, "flow"),
    ...modelParameters(state, hyper),
  ];
}

/** A draw of q(z_0 | x) pushed through the flow, and log q(z_K | x) - log N(z_K; 0, I), its entropy taken in closed form. */
function transport(
  params: State,
  { q, xi, flowCount }: { q: DiagonalGaussian; xi: tf.Tensor; flowCount: number },
): { readonly latents: tf.Tensor2D; readonly divergence: tf.Tensor1D } {
  const { latents, logDet } = planarFlow(params, { latents: drawFrom(q, xi), count: flowCount });
  const [, latentDim] = latents.shape;
  const negLogPrior = tf.add(halfSquaredNorm(latents), 0.5 * latentDim * Math.log(2 * Math.PI));
  return { latents, divergence: tf.sub(tf.sub(negLogPrior, entropy(q)), logDet) };
}

/** One step of Adam down E_q[-log p(x | z_K) - log N(z_K; 0, I) - log |det|] - H(q_0), eq. 15, one draw an image. */
function step(state: State, batch: Batch, hyper: Hyper, noise: Noise): StepResult {
  const x = toModelRange(batch.images);
  const xi = noise.split("latents").normal([x.shape[0], hyper.latentDim]);
  const { parts, gradients } = lossAndGradients((params) => {
    const all = { ...state, ...params };
    const q = encode(all, { x, hyper });
    const { latents, divergence } = transport(all, { q, xi, flowCount: hyper.flowCount });
    const { negLog, squaredError } = reconstruct(all, { latents, x, hyper });
    const kl = tf.mean(divergence) as tf.Scalar;
    return { loss: tf.add(tf.mean(negLog), kl) as tf.Scalar, kl, squaredError };
  }, pick(state, trained(state, hyper)));
  const next = descend(state, { gradients, ...hyper, step: batch.step });
  return { state: boundSigma(next, hyper), metrics: { ...parts, sigma: sigmaOf(state) } };
}

function infer(state: State, images: tf.Tensor4D, hyper: Hyper, noise: Noise): tf.Tensor2D {
  const q = encode(state, { x: toModelRange(images), hyper });
  const xi = noise.split("latents").normal([images.shape[0], hyper.latentDim]);
  return transport(state, { q, xi, flowCount: hyper.flowCount }).latents;
}

/** log p(x, z_K) - log q(z_K | x), where log q(z_K | x) = log q(z_0 | x) - sum of log |det|. */
function logWeight(state: State, images: tf.Tensor4D, hyper: Hyper, noise: Noise): tf.Tensor1D {
  const x = toModelRange(images);
  const q = encode(state, { x, hyper });
  const start = drawFrom(q, noise.split("latents").normal(q.mean.shape));
  const { latents, logDet } = planarFlow(state, { latents: start, count: hyper.flowCount });
  const logProposal = tf.sub(logDensity(q, start), logDet);
  return tf.sub(logJoint(state, { latents, x, hyper }), logProposal);
}

export const vae_flow: Method<Hyper> = {
  name: "vae_flow",
  label: "VAE-flow",
  description: "VI + amortization + flow",
  source:
    "Rezende and Mohamed 2015, eq. 10-15 and A.1; networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [...MODEL_DEVIATIONS, ...OPTIMIZER_DEVIATIONS],
  defaults,
  check,
  init,
  step,
  sample: sampleStandardNormal,
  infer,
  decode,
  logWeight,
};
