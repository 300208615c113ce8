/** Langevin autoencoder, the row LAE of Table 1: amortized Langevin dynamics for the posterior and for a learned prior. */
import * as tf from "@tensorflow/tfjs";
import { repeat } from "../harness/core/repeat.ts";
import { flatten, unflatten } from "../harness/core/tree.ts";
import type {
  AmortizedChains,
  Batch,
  LangevinChain,
  Method,
  Model,
  Noise,
  PartialImages,
  Problem,
  Tree,
} from "../harness/core/types.ts";
import { amortizedEncoder, type AmortizedParams } from "./parts/amortized_encoder.ts";
import { checkCounts, checkNotNegative, checkPositive, choice } from "./parts/checks.ts";
import { energyPrior } from "./parts/energy_prior.ts";
import { longChain, longPriorChains } from "./parts/free_chains.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import { chainFromStart, energyJoint } from "./parts/joint_density.ts";
import {
  checkPosteriorChain,
  checkPriorChain,
  posteriorChain,
  type PosteriorChainHyper,
  preparePosterior,
  preparePrior,
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
  stepScaleOf,
} from "./parts/observation_model.ts";
import { averagingTemperature, type Sharing, shortageOf } from "./parts/rank_condition.ts";
import { stepFlops } from "./parts/step_flops.ts";
import {
  decayedStepSize,
  drawsLike,
  initPsgld,
  preparePsgld,
  psgld,
  PSGLD_DEVIATIONS,
} from "./samplers/psgld.ts";

/** Values of the hyperparameter `learning`. */
const LEARNING = ["bayes", "ml"] as const;

const defaults = {
  ...OBSERVATION_DEFAULTS,
  learning: "bayes", // Algorithm 2; ml: Algorithm 4, appendix B
  innerSteps: 1, // ml: moves of Phi and Psi per step of Theta
  stepSize: 1e-3, // n eta, ours: the paper gives no eta
  decayPower: 0, // step size * (1 + t / decaySteps)^-decayPower; section 3.2 asks for a decay without giving one
  decaySteps: 1000, // ours
  temperature: 1, // T of the chains on Phi and Psi, which sample exp(-sum U / T); 0 for chains / features, at least 1
  // Deviation: pSGLD at alpha 0.99 samples about exp(-U) / G instead of exp(-U), since G follows the chain: on the toy posteriors the mean energy is 0.20 to 0.30 nats too high in two dimensions and 0.1 in one, variances within modes are 25 % too large (deno task bench toy --samplers lae_phi)
  alpha: 0.99, // Li et al., section 5
  damping: 1e-3, // lambda of pSGLD, ours: Li et al. have 1e-5
  inputDim: 2048, // du: paper, F.3
  chainCount: 0, // k, prior chains whose inputs are kept in the state; 0 for k = n: paper, section 4
  energyPenalty: 1e-3, // ours: weight of net(z)^2 in Theta's loss
  priorSteps: 60, // K0 of LEBM's code, for the row LAE + prior steps; 0 leaves the row out
  priorStepSize: 0.08, // eta = s^2 / 2 with s = 0.4: LEBM's code
  posteriorSteps: 20, // of Algorithm 3, at test time, ours
  posteriorStepSize: 0.005, // at the initial sigma; eta = s^2 / 2 with s = 0.1: LEBM's code
};

/** Moves of the chains on weights that are looked at, for their acceptance. */
const WEIGHT_STEPS = 4;

/** Decoder, sigma and energy. */
type Theta = LearnedParams & { readonly energy: NetParams };
/** The last layers, which are chains. */
type LastLayers = { readonly phi: tf.Tensor2D; readonly psi: tf.Tensor2D };
type State =
  & ObservationParams
  & AmortizedParams
  & LatentSamplerParams
  & { readonly energy: NetParams; readonly psgld: { readonly v: Theta & LastLayers } };

/** Inputs of L for a minibatch: fixed features, so that no gradient reaches g or h. */
interface Inputs {
  /** Images [m, height, width, channels] in [-1, 1]. */
  readonly x: tf.Tensor;
  /** Their pixels to learn from, as of `Batch`. */
  readonly seen?: tf.Tensor;
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
  const ofEncoder = chainsOf({ features: encoder.featureCount, chains: trainCount }, hyper);
  const ofSampler = chainsOf({ features: sampler.featureCount, chains: chainCount }, hyper);
  const energyOf = (state: State) => (z: tf.Tensor2D) => prior.energy(state.energy, z);
  const thetaOf = (state: Omit<State, "psgld">): Theta => ({
    // Deviation: Theta has log sigma, so that the flat prior of section 4 is flat in log sigma, 1 / sigma in sigma: the paper learns the variance itself (footnote 3)
    ...model.learned(state),
    energy: state.energy,
  });

  /** L(Theta, Phi, Psi) / n on a minibatch, eq. 14, and training metrics. */
  const objective = (
    all: ObservationParams & LastLayers & { readonly energy: NetParams },
    { x, seen, g, h }: Inputs,
  ) => {
    const z = tf.matMul(g, all.phi);
    const { negLog, squaredError } = model.reconstruct(all, { latents: z, x, seen });
    // Deviation: The energy has a Gaussian base, net(z) + ||z||^2 / 2, as LEBM's: the net of eq. 9 alone may not be normalizable
    const energyPosterior = tf.mean<tf.Scalar>(prior.energy(all.energy, z));
    const energyPrior = tf.mean<tf.Scalar>(prior.energy(all.energy, tf.matMul(h, all.psi)));
    const loss: tf.Scalar = tf.add(tf.sub(energyPosterior, energyPrior), tf.mean(negLog));
    return { loss, squaredError, energyPosterior, energyPrior };
  };

  /** energyPenalty times the sum of the means of net(z)^2 over data and over chains, for `latents` of both [2m, latentDim]. */
  const penalty = (energy: NetParams, latents: tf.Tensor): tf.Scalar =>
    // Deviation: Theta's loss includes energyPenalty times the mean of net(z)^2, because eq. 14 leaves the level of the energy free; it shrinks the differences of the energy too
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
      count: ofEncoder.count,
    });
    const prior = psgld({ params: { psi }, v: { psi: v.psi } }, {
      ...shared,
      gradients: { psi: tf.neg(gradients.psi) },
      xi: { psi: xi.psi },
      count: ofSampler.count,
    });
    return {
      params: { ...posterior.params, ...prior.params },
      v: { ...posterior.v, ...prior.v },
    };
  };

  /** The inner moves of Algorithm 4 except the last, which shares its evaluation of L with the step of Theta. */
  const innerMoves = (
    state: State,
    inputs: Inputs,
    { noise, t, stepSize }: {
      readonly noise: Noise;
      readonly t: tf.Scalar;
      readonly stepSize: number | tf.Scalar;
    },
  ): State => {
    // Deviation: Algorithm 4's inner loop is innerSteps moves on one minibatch; the last move shares its evaluation of L with Theta's step
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

  /** Outputs of the latent sampler network, Psi h(u). */
  const samplerLatents = (state: State, count: number, noise: Noise): tf.Tensor2D =>
    // Deviation: Samples are the latent sampler network's outputs at new inputs, or at the inputs of its chains if chainCount > 0: the theory covers only the inputs of the chains, and there are no more of them than rows
    tf.matMul(sampler.newFeatures(state, { count, noise }), state.psi);

  /** Ends of prior chains that start at the latent sampler network's outputs. */
  const drawLatents = (state: State, count: number, noise: Noise): tf.Tensor2D => {
    // Deviation: The row LAE + prior steps refines these outputs by priorSteps Langevin steps on the prior, without amortization
    const start = samplerLatents(state, count, noise);
    return priorChain(energyOf(state), { start, hyper, noise });
  };

  /** Algorithm 3: plain Langevin dynamics from the encoder's output. */
  const infer = (
    state: State,
    { images, seen }: PartialImages,
    { chain, noise, stepScale }: {
      readonly chain: PosteriorChainHyper;
      readonly noise: Noise;
      readonly stepScale?: tf.Scalar;
    },
  ): tf.Tensor2D => {
    const x = toModelRange(images);
    const start = encoder.encode(state, x);
    return posteriorChain(model, {
      params: state,
      energy: energyOf(state),
      x,
      seen,
      start,
      hyper: chain,
      noise,
      stepScale,
    });
  };

  /** A draw of the posterior by Algorithm 3. */
  const draw = (state: State, images: PartialImages, noise: Noise): tf.Tensor2D => {
    // Deviation: The step size of Algorithm 3 is posteriorStepSize times (sigma / initial sigma)^2, at most 1: a fixed step size exceeds the stability limit as sigma falls
    const stepScale = stepScaleOf(state, hyper);
    return infer(state, images, { chain: hyper, noise, stepScale });
  };

  /** U(x, z) = -log p(x | z) + f(z) at z = Phi g(x), [m]. */
  const potential = (
    all: Omit<State, "psgld">,
    { x, seen, g }: Omit<Inputs, "h">,
  ): tf.Tensor1D => {
    const latents = tf.matMul(g, all.phi);
    const { negLog } = model.reconstruct(all, { latents, x, seen });
    return tf.add(negLog, prior.energy(all.energy, latents));
  };

  /** The move of Phi of Algorithm 2 or 4, with Theta at rest: pSGLD on -log p(x | z) + f(z). */
  const amortized: AmortizedChains<State> = {
    features: (state, images) => encoder.features(state, toModelRange(images)),
    latents: (state, images) => encoder.encode(state, toModelRange(images)),
    move: (state, { images, step, seen }, noise) => {
      const x = toModelRange(images);
      const g = encoder.features(state, x);
      const { gradients } = lossAndGradients(
        ({ phi }) => ({ loss: tf.mean<tf.Scalar>(potential({ ...state, phi }, { x, seen, g })) }),
        { phi: state.phi },
      );
      const t = tf.cast(step, "float32");
      const { params, v } = psgld({ params: { phi: state.phi }, v: { phi: state.psgld.v.phi } }, {
        gradients,
        xi: drawsLike({ phi: state.phi }, { noise: noise.split("xi") }),
        stepSize: decayedStepSize(hyper, t),
        count: ofEncoder.count,
        alpha,
        damping,
        moves: isMl ? tf.mul(t, innerSteps) : t,
      });
      return { ...state, ...params, psgld: { v: { ...state.psgld.v, ...v } } };
    },
    // A fixed step size: the length is fixed too, and the chain needs its full time.
    freeChains: (state, images, noise) =>
      infer(state, { images }, { chain: longChain(hyper), noise }),
  };

  /** The chains at test time, of latents. */
  const latentChains: readonly LangevinChain<State>[] = [
    ...hyper.posteriorSteps === 0 ? [] : [{
      name: "posterior",
      steps: hyper.posteriorSteps,
      prepare: (state: State, { images, seen }: Batch) => {
        const x = toModelRange(images);
        const start = encoder.encode(state, x);
        return preparePosterior(model, {
          params: state,
          energy: energyOf(state),
          x,
          seen,
          start,
          hyper,
          stepScale: stepScaleOf(state, hyper),
        });
      },
    }],
    ...hyper.priorSteps === 0 ? [] : [{
      name: "prior",
      steps: hyper.priorSteps,
      prepare: (state: State, { images }: Batch, noise: Noise) => {
        const h = sampler.newFeatures(state, { count: images.shape[0], noise });
        return preparePrior(energyOf(state), { start: tf.matMul(h, state.psi), hyper });
      },
    }],
  ];

  /** The terms of L / n, eq. 14, with the penalty, for each row of a minibatch, [m]. */
  const thetaLosses = (all: Omit<State, "psgld">, { h, ...of }: Inputs): tf.Tensor1D => {
    const { g } = of;
    const negatives = tf.matMul(h, all.psi);
    const contrast = tf.sub(potential(all, of), prior.energy(all.energy, negatives));
    const [a, b] = [tf.matMul(g, all.phi), negatives].map((z) =>
      tf.square(prior.net(all.energy, z))
    );
    return tf.add(contrast, tf.mul(tf.add(a, b), hyper.energyPenalty));
  };

  /** A chain of pSGLD in training, of the weights that `paramsOf` picks; `losses` of each row at the state with these replaced. */
  const weightChain = <P extends Tree>(
    name: string,
    { paramsOf, losses, count }: {
      readonly paramsOf: (state: Omit<State, "psgld">) => P;
      readonly losses: (all: Omit<State, "psgld">, inputs: Inputs) => tf.Tensor1D;
      readonly count: number;
    },
  ): LangevinChain<State> => ({
    name,
    steps: WEIGHT_STEPS,
    prepare: (state, { images, rows, step, seen }, noise) => {
      const x = toModelRange(images);
      const h = sampler.chainFeatures(state, { rows, noise });
      const inputs = { x, seen, g: encoder.features(state, x), h };
      const t: tf.Scalar = tf.cast(step, "float32");
      const v = paramsOf({ ...state, ...state.psgld.v });
      return preparePsgld({ params: paramsOf(state), v }, {
        losses: (params) => losses({ ...state, ...params }, inputs),
        stepSize: decayedStepSize(hyper, t),
        count,
        alpha,
        damping,
        moves: isMl ? tf.mul(t, innerSteps) : t,
      });
    },
  });

  /** The chains in training, of weights. */
  const weightChains: readonly LangevinChain<State>[] = [
    weightChain("Phi", {
      paramsOf: ({ phi }) => ({ phi }),
      losses: potential,
      count: ofEncoder.count,
    }),
    weightChain("Psi", {
      paramsOf: ({ psi }) => ({ psi }),
      losses: (all, { h }) => prior.energy(all.energy, tf.matMul(h, all.psi)),
      count: ofSampler.count,
    }),
    // Algorithm 4 moves Theta without noise.
    ...isMl ? [] : [
      weightChain("Theta", { paramsOf: thetaOf, losses: thetaLosses, count: trainCount }),
    ],
  ];

  return {
    warnings: [
      ...shortageOf("encoder", ofEncoder, "rows"),
      ...shortageOf("latent sampler", ofSampler, "prior chains"),
    ],

    // Encoder and latent sampler network run forward, and backward only to the weights of their last layers.
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
    step(state, { images, rows, step, seen }, noise) {
      const x = toModelRange(images);
      const h = sampler.chainFeatures(state, { rows, noise });
      const inputs = { x, seen, g: encoder.features(state, x), h };
      const t = tf.cast(step, "float32");
      const stepSize = decayedStepSize(hyper, t);
      const inner = isMl ? innerSteps : 1;

      const moved = innerMoves(state, inputs, { noise: noise.split("inner"), t, stepSize });
      // Computed outside the tape, so that the penalty has no gradient in Phi or Psi.
      const latents = tf.concat([tf.matMul(inputs.g, moved.phi), tf.matMul(h, moved.psi)]);
      const theta = thetaOf(moved);
      const { parts, gradients } = lossAndGradients((params) => {
        const all = { ...moved, ...params };
        const { loss, ...others } = objective(all, inputs);
        return { loss: tf.add<tf.Scalar>(loss, penalty(all.energy, latents)), ...others };
      }, { ...theta, ...lastLayers(moved) });
      // Deviation: Theta, Phi and Psi move at once from one evaluation of L: in Algorithm 2 each moves after the one before, from L at where that one is now
      const { phi, psi, ...ofTheta } = gradients;

      const last = moveLatents({ params: lastLayers(moved), v: lastLayers(moved.psgld.v) }, {
        gradients: { phi, psi },
        xi: drawsLike(lastLayers(state), { noise: noise.split("xi") }),
        stepSize,
        moves: tf.add(tf.mul(t, inner), inner - 1),
      });
      const { phi: _phi, psi: _psi, ...v } = moved.psgld.v;
      // Deviation: Log sigma follows a schedule until sigma is learned: pSGLD divides its gradient, hundreds of nats, by its own size, so that it falls by stepSize a step whatever the data are (in steps 126 to 150 its mean is 0.76, where exp(-t stepSize) has 0.77: deno task bench --preset smoke --methods lae)
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

    /** Images of the latent sampler network's outputs: the amortized prior chains of section 3.3. */
    sample: (state, { count }, noise) => model.decode(state, samplerLatents(state, count, noise)),

    ...(hyper.priorSteps > 0 && {
      alternatives: [{
        name: "prior_steps",
        label: "LAE + prior steps",
        /** Images of prior chains that start at the latent sampler network's outputs. */
        sample: (state, { count }, noise) => model.decode(state, drawLatents(state, count, noise)),
      }],
    }),

    latents: {
      dim: hyper.latentDim,
      infer: (state, images, noise) => draw(state, { images }, noise),
      decode: model.decode,
    },

    joint: {
      ...energyJoint({ model, prior }, { dim: hyper.latentDim, drawLatents }),
      chainFrom: chainFromStart<State>(model, {
        energyOf,
        hyper,
        stepScaleOf: (state) => stepScaleOf(state, hyper),
      }),
    },

    // Without steps, it is an encoder.
    partial: { needsPartialTraining: hyper.posteriorSteps === 0, infer: draw },

    amortized,

    learnedPrior: {
      energy: (state, latents) => prior.energy(state.energy, latents),
      negatives: samplerLatents,
      longChains: (state, count, noise) =>
        longPriorChains(energyOf(state), { shape: [count, hyper.latentDim], noise }),
    },
    langevinChains: [...latentChains, ...weightChains],
  };
}

/** Chains that share a last layer: their temperature T, and the count n / T of terms that pSGLD's noise is scaled by. */
function chainsOf(
  sharing: Sharing,
  hyper: typeof defaults,
): Sharing & { readonly temperature: number; readonly count: number } {
  // Deviation: With temperature 0 chains with fewer features than Theorem 1 asks for are heated by as much as they lack, so that their variances are right on average: otherwise latents shrink, and the energy learns a well that no sampler can follow
  const temperature = hyper.temperature || averagingTemperature(sharing);
  return { ...sharing, temperature, count: sharing.chains / temperature };
}

/** Throws RangeError when `hyper` cannot work for any data. */
function checkHyper(hyper: typeof defaults): void {
  const { stepSize, decaySteps, damping } = hyper;
  checkPositive({ stepSize, decaySteps, damping });
  if (!(hyper.alpha >= 0 && hyper.alpha < 1)) {
    throw new RangeError(`alpha must be in [0, 1), got ${hyper.alpha}`);
  }
  checkNotNegative({
    energyPenalty: hyper.energyPenalty,
    decayPower: hyper.decayPower,
    temperature: hyper.temperature,
  });
  checkCounts({ innerSteps: hyper.innerSteps, inputDim: hyper.inputDim }, 1);
  checkCounts({ chainCount: hyper.chainCount }, 0);
  checkPriorChain(hyper, 0);
  checkPosteriorChain(hyper, 0);
}

/** Only Phi and Psi. */
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
    "Theta's loss includes energyPenalty times the mean of net(z)^2, because eq. 14 leaves the level of the energy free; it shrinks the differences of the energy too",
    "Theta, Phi and Psi move at once from one evaluation of L: in Algorithm 2 each moves after the one before, from L at where that one is now",
    "Theta has log sigma, so that the flat prior of section 4 is flat in log sigma, 1 / sigma in sigma: the paper learns the variance itself (footnote 3)",
    "Algorithm 4's inner loop is innerSteps moves on one minibatch; the last move shares its evaluation of L with Theta's step",
    "Log sigma follows a schedule until sigma is learned: pSGLD divides its gradient, hundreds of nats, by its own size, so that it falls by stepSize a step whatever the data are (in steps 126 to 150 its mean is 0.76, where exp(-t stepSize) has 0.77: deno task bench --preset smoke --methods lae)",
    "Samples are the latent sampler network's outputs at new inputs, or at the inputs of its chains if chainCount > 0: the theory covers only the inputs of the chains, and there are no more of them than rows",
    "With temperature 0 chains with fewer features than Theorem 1 asks for are heated by as much as they lack, so that their variances are right on average: otherwise latents shrink, and the energy learns a well that no sampler can follow",
    "The row LAE + prior steps refines these outputs by priorSteps Langevin steps on the prior, without amortization",
    "The step size of Algorithm 3 is posteriorStepSize times (sigma / initial sigma)^2, at most 1: a fixed step size exceeds the stability limit as sigma falls",
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
