/** Latent-space energy-based model (Pang et al. 2020), the row LEBM of Table 1. */
import * as tf from "@tensorflow/tfjs";
import type { Method, Model, Noise, PartialImages, Problem } from "../harness/core/types.ts";
import { adam, type AdamSlots, initAdam } from "./parts/adam.ts";
import { checkPositive } from "./parts/checks.ts";
import { decayAt } from "./parts/decay.ts";
import { energyPrior } from "./parts/energy_prior.ts";
import { longPriorChains } from "./parts/free_chains.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import { chainFromStart, energyJoint } from "./parts/joint_density.ts";
import {
  checkPosteriorChain,
  checkPriorChain,
  posteriorChain,
  preparePosterior,
  preparePrior,
  priorChain,
} from "./parts/latent_chains.ts";
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
import { stepFlops } from "./parts/step_flops.ts";

// LEBM's code, train_svhn.py, except for the networks and the latent dimension, which `nets=pang2020 latentDim=100` sets.
const defaults = {
  ...OBSERVATION_DEFAULTS,
  learnSigma: false, // fixed at 0.3
  learningRate: 1e-4, // of the generator
  energyLearningRate: 2e-5,
  decay: 0.998, // of both learning rates, per epoch
  posteriorSteps: 20, // K1
  posteriorStepSize: 0.005, // eta = s^2 / 2 with s = 0.1
  priorSteps: 60, // K0
  priorStepSize: 0.08, // eta = s^2 / 2 with s = 0.4
};

type Learned = { readonly energy: NetParams } & LearnedParams;
type State = ObservationParams & {
  readonly energy: NetParams;
  readonly adam: AdamSlots<Learned>;
};

function build(problem: Problem, hyper: typeof defaults): Model<State> {
  const { latentDim, learningRate, energyLearningRate, decay, posteriorSteps, priorSteps } = hyper;
  checkPositive({ learningRate, energyLearningRate, decay });
  checkPosteriorChain(hyper);
  checkPriorChain(hyper);
  const model = observationModel(problem.image, hyper);
  const prior = energyPrior(hyper);
  const energyOf = (state: State) => (z: tf.Tensor2D) => prior.energy(state.energy, z);

  /** Ends of prior chains from N(0, I). */
  const drawLatents = (state: State, count: number, noise: Noise): tf.Tensor2D => {
    const start = noise.split("priorStart").normal<tf.Tensor2D>([count, latentDim]);
    return priorChain(energyOf(state), { start, hyper, noise });
  };

  const chainFrom = chainFromStart<State>(model, { energyOf, hyper });
  /** The end of a posterior chain from N(0, I). */
  const infer = (
    state: State,
    { images, seen }: PartialImages,
    noise: Noise,
  ): tf.Tensor2D => {
    const start = noise.split("posteriorStart").normal<tf.Tensor2D>([images.shape[0], latentDim]);
    return chainFrom(state, { images, seen, start }, noise);
  };

  return {
    flops: stepFlops(
      problem.batchSize,
      2 * posteriorSteps * (model.macs + prior.macs) + 2 * priorSteps * prior.macs +
        3 * model.macs + 6 * prior.macs,
    ),

    init(noise) {
      const params = { ...model.init(noise), energy: prior.init(noise) };
      return { ...params, adam: initAdam({ energy: params.energy, ...model.learned(params) }) };
    },

    /**
     * Draws z+ by a short posterior chain and z- by a short prior chain, both from N(0, I). One step of Adam lowers
     * -log p(x | z+) in the generator, another lowers mean net(z+) - mean net(z-) in the energy. Pang et al., algorithm 1.
     */
    step(state, { images, step, seen }, noise) {
      const x = toModelRange(images);
      const draw = (name: string) => noise.split(name).normal<tf.Tensor2D>([x.shape[0], latentDim]);
      const energy = energyOf(state);
      const positive = posteriorChain(model, {
        params: state,
        energy,
        x,
        seen,
        start: draw("posteriorStart"),
        hyper,
        noise,
      });
      const negative = priorChain(energy, { start: draw("priorStart"), hyper, noise });

      // Deviation: The generator's loss is -log p(x | z), where LEBM's code omits 1 / (2 sigma^2): Adam is invariant to this factor
      const generator = lossAndGradients((params) => {
        const all = { ...state, ...params };
        const { negLog, squaredError } = model.reconstruct(all, { latents: positive, x, seen });
        return { loss: tf.mean<tf.Scalar>(negLog), squaredError };
      }, model.learned(state));
      const contrast = lossAndGradients((params) => {
        const energyPosterior = tf.mean<tf.Scalar>(prior.net(params, positive));
        const energyPrior = tf.mean<tf.Scalar>(prior.net(params, negative));
        const loss: tf.Scalar = tf.sub(energyPosterior, energyPrior);
        return { loss, energyPosterior, energyPrior };
      }, state.energy);

      const factor = decayAt(step, { problem, decay });
      const rate = (base: number): tf.Scalar => tf.mul(factor, base);
      const { energy: energySlots, learned: generatorSlots } = split(state.adam);
      const nextGenerator = adam(
        { params: model.learned(state), slots: generatorSlots },
        { gradients: generator.gradients, learningRate: rate(learningRate), step },
      );
      const nextEnergy = adam(
        { params: state.energy, slots: energySlots },
        { gradients: contrast.gradients, learningRate: rate(energyLearningRate), step },
      );
      const next = {
        ...state,
        ...nextGenerator.params,
        energy: nextEnergy.params,
        adam: {
          m: { energy: nextEnergy.slots.m, ...nextGenerator.slots.m },
          v: { energy: nextEnergy.slots.v, ...nextGenerator.slots.v },
        },
      };
      const { energyPosterior, energyPrior } = contrast.parts;
      return {
        state: model.boundSigma(next),
        metrics: { ...generator.parts, energyPosterior, energyPrior, sigma: sigmaOf(state) },
      };
    },

    /** Images of prior chains from N(0, I). */
    sample: (state, { count }, noise) => model.decode(state, drawLatents(state, count, noise)),

    latents: {
      dim: latentDim,
      infer: (state, images, noise) => infer(state, { images }, noise),
      decode: model.decode,
    },

    learnedPrior: {
      energy: (state, latents) => prior.energy(state.energy, latents),
      negatives: drawLatents,
      longChains: (state, count, noise) =>
        longPriorChains(energyOf(state), { shape: [count, latentDim], noise }),
    },
    langevinChains: [{
      name: "posterior",
      steps: posteriorSteps,
      prepare: (state, { images, seen }, noise) =>
        preparePosterior(model, {
          params: state,
          energy: energyOf(state),
          x: toModelRange(images),
          seen,
          start: noise.split("posteriorStart").normal([images.shape[0], latentDim]),
          hyper,
        }),
    }, {
      name: "prior",
      steps: priorSteps,
      prepare: (state, { images }, noise) =>
        preparePrior(energyOf(state), {
          start: noise.split("priorStart").normal([images.shape[0], latentDim]),
          hyper,
        }),
    }],
    joint: { ...energyJoint({ model, prior }, { dim: latentDim, drawLatents }), chainFrom },
    partial: { needsPartialTraining: false, infer },
  };
}

/** Splits the slots into those of the energy and of the observation model. */
function split({ m, v }: AdamSlots<Learned>): {
  readonly energy: AdamSlots<NetParams>;
  readonly learned: AdamSlots<LearnedParams>;
} {
  const { energy: energyM, ...learnedM } = m;
  const { energy: energyV, ...learnedV } = v;
  return { energy: { m: energyM, v: energyV }, learned: { m: learnedM, v: learnedV } };
}

export const lebm: Method<typeof defaults> = {
  name: "lebm",
  label: "LEBM",
  description: "LD + EBM",
  source:
    "Pang et al. 2020, algorithm 1, and their code (train_svhn.py); networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [
    ...OBSERVATION_DEVIATIONS,
    "The generator's loss is -log p(x | z), where LEBM's code omits 1 / (2 sigma^2): Adam is invariant to this factor",
  ],
  defaults,
  ranges: {
    learningRate: { scale: "log", low: 1e-4, high: 1e-2 },
    energyLearningRate: { scale: "log", low: 2e-5, high: 5e-3 },
    sigma: { scale: "log", low: 0.1, high: 1.5 },
    posteriorStepSize: { scale: "log", low: 1e-3, high: 0.2 },
  },
  build,
};
