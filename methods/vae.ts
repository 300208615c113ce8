/** Variational autoencoder (Kingma and Welling 2014), the row VAE of Table 1. */
import * as tf from "@tensorflow/tfjs";
import type { Batch, Method, Noise, Problem, State, StepResult } from "../harness/core/types.ts";
import { encoderNet } from "./parts/architectures.ts";
import { checkPositive } from "./parts/checks.ts";
import {
  drawFrom,
  encode,
  gaussianLogWeight,
  klToStandardNormal,
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
import { sampleStandardNormal } from "./parts/standard_normal.ts";

const defaults = {
  ...MODEL_DEFAULTS,
  optimizer: "adam", // LEBM's code, which the paper's baselines are based on (F.3); the NeurIPS version has sgd for all
  learningRate: 1e-4, // LEBM's code, and the NeurIPS version
};

type Hyper = Readonly<typeof defaults>;

function check(problem: Problem, hyper: Hyper): void {
  checkModel(problem, hyper);
  checkOptimizer(hyper);
  checkPositive({ learningRate: hyper.learningRate });
}

function init(problem: Problem, hyper: Hyper, noise: Noise): State {
  const model = initModel(problem, hyper, noise);
  const encoder = initNet(encoderNet(problem.image, hyper, 2 * hyper.latentDim), noise);
  const state = { ...model, ...encoder };
  return { ...state, ...initOptimizer(state, trained(state, hyper), hyper) };
}

function trained(state: State, hyper: Hyper): string[] {
  return [...namesBelow(state, "encoder"), ...modelParameters(state, hyper)];
}

/** One step of Adam down -ELBO = E_q[-log p(x | z)] + KL(q(z | x) || N(0, I)), one draw of z an image. */
function step(state: State, batch: Batch, hyper: Hyper, noise: Noise): StepResult {
  const x = toModelRange(batch.images);
  const xi = noise.split("latents").normal([x.shape[0], hyper.latentDim]);
  const { parts, gradients } = lossAndGradients((params) => {
    const all = { ...state, ...params };
    const q = encode(all, { x, hyper });
    const { negLog, squaredError } = reconstruct(all, { latents: drawFrom(q, xi), x, hyper });
    const kl = tf.mean(klToStandardNormal(q)) as tf.Scalar;
    return { loss: tf.add(tf.mean(negLog), kl) as tf.Scalar, kl, squaredError };
  }, pick(state, trained(state, hyper)));
  const next = descend(state, { gradients, ...hyper, step: batch.step });
  return { state: boundSigma(next, hyper), metrics: { ...parts, sigma: sigmaOf(state) } };
}

function infer(state: State, images: tf.Tensor4D, hyper: Hyper, noise: Noise): tf.Tensor2D {
  const q = encode(state, { x: toModelRange(images), hyper });
  return drawFrom(q, noise.split("latents").normal([images.shape[0], hyper.latentDim]));
}

export const vae: Method<Hyper> = {
  name: "vae",
  label: "VAE",
  description: "VI + amortization",
  source:
    "Kingma and Welling 2014, eq. 10; networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [...MODEL_DEVIATIONS, ...OPTIMIZER_DEVIATIONS],
  defaults,
  check,
  init,
  step,
  sample: sampleStandardNormal,
  infer,
  decode,
  logWeight: gaussianLogWeight,
};
