/** Deep latent Gaussian model learned with Langevin chains that an encoder starts (Hoffman 2017), the row DLGM of Table 1. */
import * as tf from "@tensorflow/tfjs";
import type { Batch, Method, Noise, Problem, State, StepResult } from "../harness/core/types.ts";
import { encoderNet } from "./parts/architectures.ts";
import { checkCounts, checkPositive } from "./parts/checks.ts";
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
import { sampleStandardNormal, standardNormalPosteriorChain } from "./parts/standard_normal.ts";

const defaults = {
  ...MODEL_DEFAULTS,
  learnSigma: false, // 0.3 as in LEBM's code, which the paper's baselines are based on (F.3)
  optimizer: "adam", // LEBM's code; the NeurIPS version has sgd for all methods
  learningRate: 1e-4, // LEBM's code, and the NeurIPS version
  posteriorSteps: 20, // K1 of LEBM's code; LAE's code at NeurIPS 2022 has 2
  posteriorStepSize: 0.005, // eta = s^2 / 2 with s = 0.1: LEBM's code, and the NeurIPS version
};

type Hyper = Readonly<typeof defaults>;

function check(problem: Problem, hyper: Hyper): void {
  checkModel(problem, hyper);
  const { learningRate, posteriorStepSize, posteriorSteps } = hyper;
  checkOptimizer(hyper);
  checkPositive({ learningRate, posteriorStepSize });
  checkCounts({ posteriorSteps }, 1);
}

function init(problem: Problem, hyper: Hyper, noise: Noise): State {
  const state = {
    ...initModel(problem, hyper, noise),
    ...initNet(encoderNet(problem.image, hyper, 2 * hyper.latentDim), noise),
  };
  const trained = [...namesBelow(state, "encoder"), ...modelParameters(state, hyper)];
  return { ...state, ...initOptimizer(state, trained, hyper) };
}

/**
 * The encoder goes down -ELBO at its own draw z_0; the decoder goes down -log p(x | z_K) at the end of the chain from
 * z_0. One step of Adam for each.
 */
function step(state: State, batch: Batch, hyper: Hyper, noise: Noise): StepResult {
  const x = toModelRange(batch.images);
  const xi = noise.split("start").normal([x.shape[0], hyper.latentDim]);
  const encoder = lossAndGradients((params) => {
    const all = { ...state, ...params };
    const q = encode(all, { x, hyper });
    const { negLog } = reconstruct(all, { latents: drawFrom(q, xi), x, hyper });
    const kl = tf.mean(klToStandardNormal(q)) as tf.Scalar;
    return { loss: tf.add(tf.mean(negLog), kl) as tf.Scalar, kl };
  }, pick(state, namesBelow(state, "encoder")));

  const start = drawFrom(encode(state, { x, hyper }), xi);
  // Deviation: Langevin steps of one size stand for Hoffman's Hamiltonian Monte Carlo with adapted ones, as the paper's table says (LD)
  const latents = standardNormalPosteriorChain(state, { x, start, hyper, noise });
  const decoder = lossAndGradients((params) => {
    const { negLog, squaredError } = reconstruct({ ...state, ...params }, { latents, x, hyper });
    return { loss: tf.mean(negLog) as tf.Scalar, squaredError };
  }, pick(state, modelParameters(state, hyper)));

  const next = descend(state, {
    gradients: { ...encoder.gradients, ...decoder.gradients },
    ...hyper,
    step: batch.step,
  });
  const metrics = {
    loss: encoder.parts.loss,
    kl: encoder.parts.kl,
    reconstruction: decoder.parts.loss,
    squaredError: decoder.parts.squaredError,
    sigma: sigmaOf(state),
  };
  return { state: boundSigma(next, hyper), metrics };
}

/** The end of a chain from the encoder's draw. */
function infer(state: State, images: tf.Tensor4D, hyper: Hyper, noise: Noise): tf.Tensor2D {
  const x = toModelRange(images);
  const xi = noise.split("start").normal([x.shape[0], hyper.latentDim]);
  return standardNormalPosteriorChain(state, {
    x,
    start: drawFrom(encode(state, { x, hyper }), xi),
    hyper,
    noise,
  });
}

export const dlgm: Method<Hyper> = {
  name: "dlgm",
  label: "DLGM",
  description: "LD + amortized init",
  source:
    "Hoffman 2017, algorithm 1; LAE's code at NeurIPS 2022 (baseline DLGM); networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [
    ...MODEL_DEVIATIONS,
    ...OPTIMIZER_DEVIATIONS,
    "Langevin steps of one size stand for Hoffman's Hamiltonian Monte Carlo with adapted ones, as the paper's table says (LD)",
  ],
  defaults,
  check,
  init,
  step,
  sample: sampleStandardNormal,
  infer,
  decode,
  logWeight: gaussianLogWeight,
};
