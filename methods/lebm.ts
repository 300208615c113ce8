/** Latent-space energy-based model (Pang et al. 2020), the row LEBM of Table 1. */
import * as tf from "@tensorflow/tfjs";
import type { Batch, Method, Noise, Problem, State, StepResult } from "../harness/core/types.ts";
import { adam, initAdam } from "./parts/adam.ts";
import { energyNet } from "./parts/architectures.ts";
import { checkCounts, checkPositive } from "./parts/checks.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import { netEnergy, posteriorChain, priorChain } from "./parts/latent_prior.ts";
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

// LEBM's code, train_svhn.py, but for the networks and the latent dimension: `nets=pang2020 latentDim=100` is all of it.
const defaults = {
  ...MODEL_DEFAULTS,
  learnSigma: false, // 0.3, fixed
  learningRate: 1e-4, // of the generator
  energyLearningRate: 2e-5,
  decay: 0.998, // of both learning rates, an epoch
  posteriorSteps: 20, // K1
  posteriorStepSize: 0.005, // eta = s^2 / 2 with s = 0.1
  priorSteps: 60, // K0
  priorStepSize: 0.08, // eta = s^2 / 2 with s = 0.4
};

type Hyper = Readonly<typeof defaults>;

function check(problem: Problem, hyper: Hyper): void {
  checkModel(problem, hyper);
  const { learningRate, energyLearningRate, decay, posteriorStepSize, priorStepSize } = hyper;
  checkPositive({ learningRate, energyLearningRate, decay, posteriorStepSize, priorStepSize });
  checkCounts({ posteriorSteps: hyper.posteriorSteps, priorSteps: hyper.priorSteps }, 1);
}

function init(problem: Problem, hyper: Hyper, noise: Noise): State {
  const state = { ...initModel(problem, hyper, noise), ...initNet(energyNet(hyper), noise) };
  return {
    ...state,
    ...initAdam(state, [...namesBelow(state, "energy"), ...modelParameters(state, hyper)]),
  };
}

/** decay^epoch, with the epoch of `batch`. */
function decayOf(state: State, batch: Batch, { decay }: Hyper): tf.Scalar {
  const batches = tf.cast(tf.div(state.trainCount, batch.images.shape[0]), "int32");
  const perEpoch = tf.maximum(tf.cast(batches, "float32"), 1);
  const epoch = tf.cast(tf.div(tf.cast(batch.step, "float32"), perEpoch), "int32");
  return tf.exp(tf.mul(tf.cast(epoch, "float32"), Math.log(decay))) as tf.Scalar;
}

/**
 * z+ from a short posterior chain, z- from a short prior chain, both from N(0, I); then one step of Adam for the generator
 * down -log p(x | z+) and one for the energy down mean net(z+) - mean net(z-). Pang et al., algorithm 1.
 */
function step(state: State, batch: Batch, hyper: Hyper, noise: Noise): StepResult {
  const x = toModelRange(batch.images);
  const draw = (name: string) =>
    noise.split(name).normal([x.shape[0], hyper.latentDim]) as tf.Tensor2D;
  const positive = posteriorChain(state, { x, start: draw("posteriorStart"), hyper, noise });
  const negative = priorChain(state, { start: draw("priorStart"), hyper, noise });

  // Deviation: The generator's loss is -log p(x | z), where LEBM's code leaves out 1 / (2 sigma^2): Adam takes no notice of the factor
  const generator = lossAndGradients((params) => {
    const all = { ...state, ...params };
    const { negLog, squaredError } = reconstruct(all, { latents: positive, x, hyper });
    return { loss: tf.mean(negLog) as tf.Scalar, squaredError };
  }, pick(state, modelParameters(state, hyper)));
  const energy = lossAndGradients((params) => {
    const energyPosterior = tf.mean(netEnergy(params, { latents: positive, hyper })) as tf.Scalar;
    const energyPrior = tf.mean(netEnergy(params, { latents: negative, hyper })) as tf.Scalar;
    return { loss: tf.sub(energyPosterior, energyPrior), energyPosterior, energyPrior };
  }, pick(state, namesBelow(state, "energy")));

  const factor = decayOf(state, batch, hyper);
  const update = (from: State, gradients: State, rate: number) =>
    adam(from, { gradients, learningRate: tf.mul(factor, rate) as tf.Scalar, step: batch.step });
  const next = update(
    update(state, generator.gradients, hyper.learningRate),
    energy.gradients,
    hyper.energyLearningRate,
  );
  const { energyPosterior, energyPrior } = energy.parts;
  const metrics = { ...generator.parts, energyPosterior, energyPrior, sigma: sigmaOf(state) };
  return { state: boundSigma(next, hyper), metrics };
}

/** Images of prior chains from N(0, I). */
function sample(state: State, count: number, hyper: Hyper, noise: Noise): tf.Tensor4D {
  const start = noise.split("priorStart").normal([count, hyper.latentDim]) as tf.Tensor2D;
  return decode(state, priorChain(state, { start, hyper, noise }), hyper);
}

/** The end of a posterior chain from N(0, I). */
function infer(state: State, images: tf.Tensor4D, hyper: Hyper, noise: Noise): tf.Tensor2D {
  const x = toModelRange(images);
  const start = noise.split("posteriorStart").normal([x.shape[0], hyper.latentDim]) as tf.Tensor2D;
  return posteriorChain(state, { x, start, hyper, noise });
}

export const lebm: Method<Hyper> = {
  name: "lebm",
  label: "LEBM",
  description: "LD + EBM",
  source:
    "Pang et al. 2020, algorithm 1, and their code (train_svhn.py); networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [
    ...MODEL_DEVIATIONS,
    "The generator's loss is -log p(x | z), where LEBM's code leaves out 1 / (2 sigma^2): Adam takes no notice of the factor",
  ],
  defaults,
  check,
  init,
  step,
  sample,
  infer,
  decode,
};
