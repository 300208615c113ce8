/** Latent flow-based model (Xie et al. 2023): a normalizing flow as prior, inferred by short Langevin chains. */
import * as tf from "@tensorflow/tfjs";
import type { Method, Model, Noise, PartialImages, Problem } from "../harness/core/types.ts";
import { adam, type AdamSlots, initAdam } from "./parts/adam.ts";
import { checkCounts, checkPositive } from "./parts/checks.ts";
import { decayAt } from "./parts/decay.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import { chainFromStart, gaussianJoint } from "./parts/joint_density.ts";
import {
  checkPosteriorChain,
  posteriorChain,
  preparePosterior,
  type PriorEnergy,
} from "./parts/latent_chains.ts";
import {
  checkFlowDim,
  flowInverse,
  flowLogDensity,
  flowMacs,
  type FlowPivots,
  initLatentFlow,
  LATENT_FLOW_DEVIATIONS,
  type LatentFlow,
  mixingResidual,
  readyFlow,
} from "./parts/latent_flow.ts";
import { toModelRange } from "./parts/likelihood.ts";
import {
  type LearnedParams,
  OBSERVATION_DEFAULTS,
  OBSERVATION_DEVIATIONS,
  observationModel,
  type ObservationParams,
  sigmaOf,
} from "./parts/observation_model.ts";
import { logStandardNormal } from "./parts/standard_normal.ts";
import { stepFlops } from "./parts/step_flops.ts";

// The released code, train_svhn.py, except for the networks and the latent dimension, which `nets=pang2020 latentDim=100` sets.
const defaults = {
  ...OBSERVATION_DEFAULTS,
  sigma: 0.3,
  learnSigma: false, // a constant
  learningRate: 4e-4, // of the generator and of the flow
  decay: 0.998, // of the learning rate, per epoch
  flowDepth: 5, // layers of the flow
  posteriorSteps: 20, // K
  posteriorStepSize: 0.005, // eta = s^2 / 2 with s = 0.1
  testSteps: 400, // of the noise-free chains that reconstruct: 20 K
};

type Learned = LearnedParams & { readonly flow: LatentFlow };
type State = ObservationParams & {
  readonly flow: LatentFlow;
  readonly pivots: FlowPivots;
  readonly adam: AdamSlots<Learned>;
};

function build(problem: Problem, hyper: typeof defaults): Model<State> {
  const { latentDim, learningRate, decay, flowDepth: depth, posteriorSteps, testSteps } = hyper;
  checkPositive({ learningRate, decay });
  checkCounts({ flowDepth: depth, testSteps }, 1);
  checkPosteriorChain(hyper);
  const model = observationModel(problem.image, hyper);
  checkFlowDim(latentDim);
  const learned = (params: ObservationParams & { readonly flow: LatentFlow }): Learned => ({
    flow: params.flow,
    ...model.learned(params),
  });

  const flowOf = (state: State) => readyFlow(state.flow, state.pivots);
  /** -log p(z), normalized. */
  const energyOf = (state: State): PriorEnergy => {
    const flow = flowOf(state);
    return (z) => tf.neg(flowLogDensity(flow, z));
  };
  const startOf = (count: number, noise: Noise): tf.Tensor2D =>
    noise.split("start").normal([count, latentDim]);
  const drawLatents = (state: State, count: number, noise: Noise): tf.Tensor2D =>
    flowInverse(flowOf(state), noise.split("latents").normal([count, latentDim]));
  const chainFrom = chainFromStart<State>(model, { energyOf, hyper });
  const descendFrom = chainFromStart<State>(model, {
    energyOf,
    hyper: { ...hyper, posteriorSteps: testSteps },
    isNoisy: false,
  });
  /** The end of a chain from N(0, I). */
  const infer = (
    state: State,
    { images, seen }: PartialImages,
    noise: Noise,
  ): tf.Tensor2D =>
    chainFrom(state, { images, seen, start: startOf(images.shape[0], noise) }, noise);
  const flowWork = flowMacs({ latentDim, depth });

  return {
    flops: stepFlops(
      problem.batchSize,
      2 * posteriorSteps * (model.macs + flowWork) + 3 * model.macs + 3 * flowWork,
    ),

    init(noise) {
      const params = { ...model.init(noise), ...initLatentFlow({ latentDim, depth }, noise) };
      return { ...params, adam: initAdam(learned(params)) };
    },

    /** K Langevin steps from N(0, I) for z, then one step of Adam up log p(x | z) for the generator, and log p(z) for the flow. */
    step(state, { images, step, seen }, noise) {
      const x = toModelRange(images);
      const energy = energyOf(state);
      const start = startOf(x.shape[0], noise);
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
        // Deviation: The generator's loss is -log p(x | z), where the latent flow's code omits 1 / (2 sigma^2): Adam is invariant to this factor
        const { negLog, squaredError } = model.reconstruct(all, { latents, x, seen });
        const flow = readyFlow(all.flow, state.pivots);
        const negLogPrior = tf.neg<tf.Scalar>(tf.mean(flowLogDensity(flow, latents)));
        return { loss: tf.add<tf.Scalar>(tf.mean(negLog), negLogPrior), negLogPrior, squaredError };
      }, learned(state));
      const { params, slots } = adam(
        { params: learned(state), slots: state.adam },
        {
          gradients,
          learningRate: tf.mul<tf.Scalar>(decayAt(step, { problem, decay }), learningRate),
          step,
        },
      );
      return {
        state: model.boundSigma({ ...state, ...params, adam: slots }),
        metrics: {
          ...parts,
          mixingResidual: mixingResidual(flowOf(state)),
          sigma: sigmaOf(state),
        },
      };
    },

    /** Images of exact draws of the prior. */
    sample: (state, { count }, noise) => model.decode(state, drawLatents(state, count, noise)),

    latents: {
      dim: latentDim,
      infer: (state, images, noise) => infer(state, { images }, noise),
      /** The end of a longer chain without noise. */
      fit: (state, images, noise) =>
        descendFrom(state, { images, start: startOf(images.shape[0], noise) }, noise),
      decode: model.decode,
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
          start: startOf(images.shape[0], noise),
          hyper,
        }),
    }],
    joint: {
      ...gaussianJoint(model, latentDim),
      drawLatents,
      tilt: (state, latents) =>
        tf.sub(flowLogDensity(flowOf(state), latents), logStandardNormal(latents)),
      chainFrom,
    },
    partial: { needsPartialTraining: false, infer },
  };
}

export const lfbm: Method<typeof defaults> = {
  name: "lfbm",
  label: "LFBM",
  description: "LD + flow prior",
  source:
    "Xie et al. 2023 (latent space normalizing flow), and their code (train.py, model.py); networks of Langevin Autoencoders (ICLR 2022 submission), F.3",
  deviations: [
    ...OBSERVATION_DEVIATIONS,
    ...LATENT_FLOW_DEVIATIONS,
    "The generator's loss is -log p(x | z), where the latent flow's code omits 1 / (2 sigma^2): Adam is invariant to this factor",
  ],
  defaults,
  ranges: {
    learningRate: { scale: "log", low: 1e-4, high: 1e-2 },
    sigma: { scale: "log", low: 0.1, high: 1.5 },
    posteriorStepSize: { scale: "log", low: 1e-3, high: 0.2 },
  },
  build,
};
