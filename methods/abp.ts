/** Alternating back-propagation (Han et al. 2017), the row ABP of Table 1. */
import * as tf from "@tensorflow/tfjs";
import type { Batch, Method, Noise, Problem, State, StepResult } from "../harness/core/types.ts";
import { adam, initAdam } from "./parts/adam.ts";
import { checkCounts, checkPositive } from "./parts/checks.ts";
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
  pick,
  reconstruct,
  sigmaOf,
} from "./parts/model.ts";
import {
  halfSquaredNorm,
  sampleStandardNormal,
  standardNormalPosteriorChain,
} from "./parts/standard_normal.ts";

const defaults = {
  ...MODEL_DEFAULTS,
  learnSigma: false, // sigma is a constant, 0.3, in ABP's and LEBM's code
  learningRate: 1e-4, // LEBM's code
  posteriorSteps: 20, // K1 of LEBM's code; the paper does not say
  posteriorStepSize: 0.005, // eta = s^2 / 2 with s = 0.1: LEBM's code
  persistent: false, // chains go on from epoch to epoch, as in Han et al., instead of from N(0, I)
};

type Hyper = Readonly<typeof defaults>;

function check(problem: Problem, hyper: Hyper): void {
  checkModel(problem, hyper);
  const { learningRate, posteriorStepSize, posteriorSteps } = hyper;
  checkPositive({ learningRate, posteriorStepSize });
  checkCounts({ posteriorSteps }, 1);
}

function init(problem: Problem, hyper: Hyper, noise: Noise): State {
  const state = initModel(problem, hyper, noise);
  return { ...state, ...initAdam(state, modelParameters(state, hyper)) };
}

function chains(_: Problem, { persistent, latentDim }: Hyper): Record<string, number[]> {
  return persistent ? { latents: [latentDim] } : {};
}

/** Inferential back-propagation, K Langevin steps for z, then learning back-propagation, one step of Adam for the decoder. */
function step(state: State, batch: Batch, hyper: Hyper, noise: Noise): StepResult {
  const x = toModelRange(batch.images);
  // Deviation: Chains start at N(0, I) in every step by default, as in LEBM's code: persistent chains are Han et al.'s
  const start = hyper.persistent
    ? batch.chains.latents as tf.Tensor2D
    : noise.split("start").normal([x.shape[0], hyper.latentDim]) as tf.Tensor2D;
  const latents = standardNormalPosteriorChain(state, { x, start, hyper, noise });
  const { parts, gradients } = lossAndGradients((params) => {
    const { negLog, squaredError } = reconstruct({ ...state, ...params }, { latents, x, hyper });
    return { loss: tf.mean(negLog) as tf.Scalar, squaredError };
  }, pick(state, modelParameters(state, hyper)));
  const next = adam(state, { gradients, learningRate: hyper.learningRate, step: batch.step });
  const metrics = {
    ...parts,
    halfSquaredNorm: tf.mean(halfSquaredNorm(latents)) as tf.Scalar,
    sigma: sigmaOf(state),
  };
  return {
    state: boundSigma(next, hyper),
    metrics,
    ...(hyper.persistent && { chains: { latents } }),
  };
}

/** The end of a chain from N(0, I). */
function infer(state: State, images: tf.Tensor4D, hyper: Hyper, noise: Noise): tf.Tensor2D {
  const start = noise.split("start").normal([images.shape[0], hyper.latentDim]) as tf.Tensor2D;
  return standardNormalPosteriorChain(state, { x: toModelRange(images), start, hyper, noise });
}

export const abp: Method<Hyper> = {
  name: "abp",
  label: "ABP",
  description: "LD",
  source:
    "Han et al. 2017, algorithm 1; networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [
    ...MODEL_DEVIATIONS,
    "Chains start at N(0, I) in every step by default, as in LEBM's code: persistent chains are Han et al.'s",
  ],
  defaults,
  chains,
  check,
  init,
  step,
  sample: sampleStandardNormal,
  infer,
  decode,
};
