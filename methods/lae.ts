/** Langevin autoencoder, the row LAE of Table 1: amortized Langevin dynamics for the posterior and for a learned prior. */
import * as tf from "@tensorflow/tfjs";
import { repeat } from "../harness/core/repeat.ts";
import { flatten, unflatten } from "../harness/core/tree.ts";
import type { AmortizedChains, Method, Model, Noise, Problem } from "../harness/core/types.ts";
import { amortizedEncoder, type AmortizedParams } from "./parts/amortized_encoder.ts";
import { checkCounts, checkNotNegative, checkPositive, choice } from "./parts/checks.ts";
import { energyPrior } from "./parts/energy_prior.ts";
import { longChain } from "./parts/free_chains.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import {
  checkPosteriorChain,
  checkPriorChain,
  posteriorChain,
  type PosteriorChainHyper,
  priorChain,
} from "./parts/latent_chains.ts";
import { latentSampler, type LatentSamplerParams } from "./parts/latent_sampler.ts";
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
import { shortageOf } from "./parts/rank_condition.ts";
import { stepFlops } from "./parts/step_flops.ts";
import {
  decayedStepSize,
  drawsLike,
  initPsgld,
  psgld,
  PSGLD_DEVIATIONS,
} from "./samplers/psgld.ts";

/** Values of the hyperparameter `learning`. */
const LEARNING = ["bayes", "ml"] as const;

const defaults = {
  ...OBSERVATION_DEFAULTS,
  learning: "bayes", // Algorithm 2; ml: Algorithm 4, appendix B
  innerSteps: 1, // ml: moves of Phi and Psi for one of Theta
  stepSize: 1e-3, // n eta, ours: the paper gives no eta
  decayPower: 0, // step size * (1 + t / decaySteps)^-decayPower; section 3.2 asks for a decay, gives none
  decaySteps: 1000, // ours
  // Deviation: pSGLD at alpha 0.99 samples about exp(-U) / G instead of exp(-U), since G follows the chain: on the toy posteriors the mean energy is 0.20 to 0.30 nats too high in two dimensions and 0.1 in one, variances within modes are 25 % too large (deno task bench toy --samplers lae_phi)
  alpha: 0.99, // Li et al., section 5
  damping: 1e-3, // lambda of pSGLD, ours: Li et al. have 1e-5
  inputDim: 2048, // du: paper, F.3
  chainCount: 0, // k, prior chains, their inputs kept in the state; 0 for k = n: paper, section 4
  energyPenalty: 1e-3, // ours: weight of net(z)^2 in the loss of Theta
  priorSteps: 60, // K0 of LEBM's code: of the chain that makes samples
  priorStepSize: 0.08, // eta = s^2 / 2 with s = 0.4: LEBM's code
  posteriorSteps: 20, // of Algorithm 3, at test time, ours
  posteriorStepSize: 0.005, // eta = s^2 / 2 with s = 0.1: LEBM's code
};

/** Decoder, sigma and energy. */
type Theta = LearnedParams & { readonly energy: NetParams };
/** The last layers, which are chains. */
type LastLayers = { readonly phi: tf.Tensor2D; readonly psi: tf.Tensor2D };
type State =
  & ObservationParams
  & AmortizedParams
  & LatentSamplerParams
  & { readonly energy: NetParams; readonly psgld: { readonly v: Theta & LastLayers } };

/** What L sees of a minibatch: fixed features, so that no gradient reaches g or h. */
interface Inputs {
  /** Images [m, height, width, channels] in [-1, 1]. */
  readonly x: tf.Tensor;
  /** g(x), [m, d]. */
  readonly g: tf.Tensor2D;
  /** h(u), [m, d]. */
  readonly h: tf.Tensor2D;
}

function build(problem: Problem, hyper: typeof defaults): Model<State> {
  checkHyper(hyper);
  const { trainCount, batchSize } = problem;
  const { alpha, damping, innerSteps } = hyper;
  const isMl = choice("learning", hyper.learning, LEARNING) === "ml";
  const chainCount = hyper.chainCount || trainCount; // k
  const model = observationModel(problem.image, hyper);
  const encoder = amortizedEncoder(problem.image, hyper);
  const sampler = latentSampler(hyper);
  const prior = energyPrior(hyper);
  const energyOf = (state: State) => (z: tf.Tensor2D) => prior.energy(state.energy, z);
  const thetaOf = (state: Omit<State, "psgld">): Theta => ({
    ...model.learned(state),
    energy: state.energy,
  });

  /** L(Theta, Phi, Psi) / n on a minibatch, eq. 14, and what to record. */
  const objective = (
    all: ObservationParams & LastLayers & { readonly energy: NetParams },
    { x, g, h }: Inputs,
  ) => {
    const z = tf.matMul(g, all.phi);
    const { negLog, squaredError } = model.reconstruct(all, { latents: z, x });
    // Deviation: The energy has a Gaussian base, net(z) + ||z||^2 / 2, as LEBM's: the net of eq. 9 alone may not be normalizable
    const energyPosterior = tf.mean<tf.Scalar>(prior.energy(all.energy, z));
    const energyPrior = tf.mean<tf.Scalar>(prior.energy(all.energy, tf.matMul(h, all.psi)));
    const loss: tf.Scalar = tf.add(tf.sub(energyPosterior, energyPrior), tf.mean(negLog));
    return { loss, squaredError, energyPosterior, energyPrior };
  };

  /** energyPenalty times the sum of the means of net(z)^2 over data and over chains, for `latents` of both [2m, latentDim]. */
  const penalty = (energy: NetParams, latents: tf.Tensor): tf.Scalar =>
    // Deviation: Theta's loss has energyPenalty times the mean of net(z)^2, for the level of the energy is free in eq. 14
    tf.mul(tf.mean<tf.Scalar>(tf.square(prior.net(energy, latents))), 2 * hyper.energyPenalty);

  /** One move of Phi, down L, and of Psi, up L, each with noise: Langevin for exp(-sum U(x, z)) and exp(-sum f(z)). */
  const moveLatents = (
    { params: { phi, psi }, v }: { readonly params: LastLayers; readonly v: LastLayers },
    { gradients, xi, stepSize, moves }: {
      readonly gradients: LastLayers;
      readonly xi: LastLayers;
      readonly stepSize: number | tf.Scalar;
      readonly moves: tf.Scalar;
    },
  ): { readonly params: LastLayers; readonly v: LastLayers } => {
    const shared = { stepSize, moves, alpha, damping };
    const posterior = psgld({ params: { phi }, v: { phi: v.phi } }, {
      ...shared,
      gradients: { phi: gradients.phi },
      xi: { phi: xi.phi },
      count: trainCount,
    });
    const prior = psgld({ params: { psi }, v: { psi: v.psi } }, {
      ...shared,
      gradients: { psi: tf.neg(gradients.psi) },
      xi: { psi: xi.psi },
      count: chainCount,
    });
    return {
      params: { ...posterior.params, ...prior.params },
      v: { ...posterior.v, ...prior.v },
    };
  };

  /** The inner moves of Algorithm 4 but the last, which shares its evaluation of L with the step of Theta. */
  const innerMoves = (
    state: State,
    inputs: Inputs,
    { noise, t, stepSize }: {
      readonly noise: Noise;
      readonly t: tf.Scalar;
      readonly stepSize: number | tf.Scalar;
    },
  ): State => {
    // Deviation: Algorithm 4's inner loop is innerSteps moves on one minibatch, the last one sharing its evaluation of L with Theta's step
    const count = isMl ? innerSteps - 1 : 0;
    if (count === 0) return state;
    type Carried = { readonly params: LastLayers; readonly v: LastLayers };
    const carried: Carried = { params: lastLayers(state), v: lastLayers(state.psgld.v) };
    const draws = drawsLike(carried.params, { noise, leading: [count] });
    const moved = repeat(
      count,
      flatten(carried),
      (flat, { index, ...xi }) => {
        const before = unflatten(flat) as Carried;
        const { gradients } = lossAndGradients(
          (params) => objective({ ...state, ...params }, inputs),
          before.params,
        );
        const moves: tf.Scalar = tf.add(tf.mul(t, innerSteps), index);
        return flatten(
          moveLatents(before, { gradients, xi: xi as LastLayers, stepSize, moves }),
        );
      },
      { index: tf.range(0, count), ...draws },
    );
    const { params, v } = unflatten(moved) as Carried;
    return { ...state, ...params, psgld: { v: { ...state.psgld.v, ...v } } };
  };

  /** Algorithm 3: plain Langevin dynamics from the encoder's output. */
  const infer = (
    state: State,
    images: tf.Tensor4D,
    { chain, noise }: { readonly chain: PosteriorChainHyper; readonly noise: Noise },
  ): tf.Tensor2D => {
    const x = toModelRange(images);
    const start = encoder.encode(state, x);
    return posteriorChain(model, {
      params: state,
      energy: energyOf(state),
      x,
      start,
      hyper: chain,
      noise,
    });
  };

  /** The move of Phi of Algorithm 2 or 4, with Theta at rest: pSGLD on -log p(x | z) + f(z). */
  const amortized: AmortizedChains<State> = {
    features: (state, images) => encoder.features(state, toModelRange(images)),
    latents: (state, images) => encoder.encode(state, toModelRange(images)),
    move: (state, { images, step }, noise) => {
      const x = toModelRange(images);
      const g = encoder.features(state, x);
      const { gradients } = lossAndGradients(({ phi }) => {
        const latents = tf.matMul(g, phi);
        const { negLog } = model.reconstruct(state, { latents, x });
        return { loss: tf.mean<tf.Scalar>(tf.add(negLog, prior.energy(state.energy, latents))) };
      }, { phi: state.phi });
      const t = tf.cast(step, "float32");
      const { params, v } = psgld({ params: { phi: state.phi }, v: { phi: state.psgld.v.phi } }, {
        gradients,
        xi: drawsLike({ phi: state.phi }, { noise: noise.split("xi") }),
        stepSize: decayedStepSize(hyper, t),
        count: trainCount,
        alpha,
        damping,
        moves: isMl ? tf.mul(t, innerSteps) : t,
      });
      return { ...state, ...params, psgld: { v: { ...state.psgld.v, ...v } } };
    },
    freeChains: (state, images, noise) => infer(state, images, { chain: longChain(hyper), noise }),
  };

  return {
    warnings: [
      ...shortageOf("encoder", { features: encoder.featureCount, chains: trainCount }, "rows"),
      ...shortageOf(
        "sampler",
        { features: sampler.featureCount, chains: chainCount },
        "prior chains",
      ),
    ],

    // Forward, and backward to the last layers' weights, which are the first that a gradient does not pass.
    flops: stepFlops(
      batchSize,
      encoder.macs.features + 2 * encoder.macs.phi + sampler.macs.features +
        2 * sampler.macs.psi + 3 * model.macs + 6 * prior.macs +
        (isMl ? innerSteps - 1 : 0) *
          (2 * model.macs + 4 * prior.macs + 2 * encoder.macs.phi + 2 * sampler.macs.psi),
    ),

    /** Frozen g and h, the trained last layers Phi and Psi, and Theta: decoder, sigma and energy. */
    init(noise) {
      const params = {
        ...model.init(noise),
        ...encoder.init(noise),
        ...sampler.init(noise),
        energy: prior.init(noise),
      };
      return { ...params, psgld: { v: initPsgld({ ...thetaOf(params), ...lastLayers(params) }) } };
    },

    /** Algorithm 2, or Algorithm 4 with a bounded inner loop, on one minibatch. */
    step(state, { images, rows, step }, noise) {
      const x = toModelRange(images);
      const h = sampler.chainFeatures(state, { rows, noise });
      const inputs = { x, g: encoder.features(state, x), h };
      const t = tf.cast(step, "float32");
      const stepSize = decayedStepSize(hyper, t);
      const inner = isMl ? innerSteps : 1;

      const moved = innerMoves(state, inputs, { noise: noise.split("inner"), t, stepSize });
      // Outside of the tape: the penalty moves neither Phi nor Psi.
      const latents = tf.concat([tf.matMul(inputs.g, moved.phi), tf.matMul(h, moved.psi)]);
      const theta = thetaOf(moved);
      const { parts, gradients } = lossAndGradients((params) => {
        const all = { ...moved, ...params };
        const { loss, ...others } = objective(all, inputs);
        return { loss: tf.add<tf.Scalar>(loss, penalty(all.energy, latents)), ...others };
      }, { ...theta, ...lastLayers(moved) });
      const { phi, psi, ...ofTheta } = gradients;

      const last = moveLatents({ params: lastLayers(moved), v: lastLayers(moved.psgld.v) }, {
        gradients: { phi, psi },
        xi: drawsLike(lastLayers(state), { noise: noise.split("xi") }),
        stepSize,
        moves: tf.add(tf.mul(t, inner), inner - 1),
      });
      const { phi: _phi, psi: _psi, ...v } = moved.psgld.v;
      const next = psgld<Theta>({ params: theta, v }, {
        gradients: ofTheta,
        xi: isMl ? null : drawsLike(theta, { noise: noise.split("xi") }),
        stepSize,
        count: trainCount,
        alpha,
        damping,
        moves: t,
      });
      return {
        state: model.boundSigma({
          ...moved,
          ...next.params,
          ...last.params,
          psgld: { v: { ...next.v, ...last.v } },
        }),
        metrics: { ...parts, sigma: sigmaOf(state) },
      };
    },

    /** Images of prior chains that start at the sampler's outputs. */
    sample: (state, { count }, noise) => {
      // Deviation: Samples come from priorSteps Langevin steps that start at the sampler's outputs: for new inputs they are no samples by themselves, and for the trained inputs they repeat
      const h = sampler.newFeatures(state, { count, noise });
      const start: tf.Tensor2D = tf.matMul(h, state.psi);
      return model.decode(state, priorChain(energyOf(state), { start, hyper, noise }));
    },

    latents: {
      dim: hyper.latentDim,
      infer: (state, images, noise) => infer(state, images, { chain: hyper, noise }),
      decode: model.decode,
    },

    amortized,
  };
}

/** Throws RangeError when `hyper` cannot work for any data. */
function checkHyper(hyper: typeof defaults): void {
  const { stepSize, decaySteps, damping } = hyper;
  checkPositive({ stepSize, decaySteps, damping });
  if (!(hyper.alpha >= 0 && hyper.alpha < 1)) {
    throw new RangeError(`alpha must be in [0, 1), got ${hyper.alpha}`);
  }
  checkNotNegative({ energyPenalty: hyper.energyPenalty, decayPower: hyper.decayPower });
  checkCounts({ innerSteps: hyper.innerSteps, inputDim: hyper.inputDim }, 1);
  checkCounts({ chainCount: hyper.chainCount }, 0);
  checkPriorChain(hyper, 0);
  checkPosteriorChain(hyper, 0);
}

/** Phi and Psi alone. */
function lastLayers({ phi, psi }: LastLayers): LastLayers {
  return { phi, psi };
}

export const lae: Method<typeof defaults> = {
  name: "lae",
  label: "LAE",
  description: "LD + EBM + amortization",
  source: "Langevin Autoencoders (ICLR 2022 submission), section 4, eq. 9-14, algorithms 2-4, F.3",
  deviations: [
    ...OBSERVATION_DEVIATIONS,
    ...PSGLD_DEVIATIONS,
    "pSGLD at alpha 0.99 samples about exp(-U) / G instead of exp(-U), since G follows the chain: on the toy posteriors the mean energy is 0.20 to 0.30 nats too high in two dimensions and 0.1 in one, variances within modes are 25 % too large (deno task bench toy --samplers lae_phi)",
    "The energy has a Gaussian base, net(z) + ||z||^2 / 2, as LEBM's: the net of eq. 9 alone may not be normalizable",
    "Theta's loss has energyPenalty times the mean of net(z)^2, for the level of the energy is free in eq. 14",
    "Algorithm 4's inner loop is innerSteps moves on one minibatch, the last one sharing its evaluation of L with Theta's step",
    "Samples come from priorSteps Langevin steps that start at the sampler's outputs: for new inputs they are no samples by themselves, and for the trained inputs they repeat",
  ],
  defaults,
  ranges: {
    stepSize: { scale: "log", low: 3e-4, high: 3e-3 },
    damping: { scale: "log", low: 1e-4, high: 0.3 },
    chainCount: { scale: "choice", values: [0, 100, 200, 400] },
    innerSteps: { scale: "integer", low: 1, high: 5 },
  },
  build,
};
