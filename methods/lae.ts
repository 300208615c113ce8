/** Langevin autoencoder, the row LAE of Table 1: amortized Langevin dynamics for the posterior and for a learned prior. */
import * as tf from "@tensorflow/tfjs";
import { repeat } from "../harness/core/repeat.ts";
import type { Batch, Method, Noise, Problem, State, StepResult } from "../harness/core/types.ts";
import { encode, encoderFeatures } from "./parts/amortized_encoder.ts";
import { energyNet, featureCount, featureNet, samplerFeatureCount } from "./parts/architectures.ts";
import { checkCounts, checkNotNegative, checkPositive, choice } from "./parts/checks.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import { amortizedChains } from "./lae_chain_freedom.ts";
import { inferNeurips, initNeurips, logWeightNeurips, stepNeurips } from "./lae_neurips.ts";
import { netEnergy, posteriorChain, priorChain, priorEnergy } from "./parts/latent_prior.ts";
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
import {
  decayedStepSize,
  drawsLike,
  initPsgld,
  psgld,
  PSGLD_DEVIATIONS,
  psgldEntries,
} from "./samplers/psgld.ts";
import { rankWarnings } from "./parts/rank_condition.ts";
import { chainFeatures, initSampler, newChainFeatures } from "./parts/latent_sampler.ts";
import { sampleStandardNormal } from "./parts/standard_normal.ts";

/** Words for the hyperparameters `variant` and `learning`. */
const VARIANTS = ["iclr", "neurips"] as const;
const LEARNING = ["bayes", "ml"] as const;

const defaults = {
  ...MODEL_DEFAULTS,
  variant: "iclr", // neurips: lae_neurips.ts, published with nets=mlp and likelihood=discretized_logistic
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
  chainSteps: 2, // neurips: T
  chainStepSize: 1e-4, // neurips: eta
  sgdLearningRate: 1e-4, // neurips: of decoder, tau and features
  metropolis: true, // neurips: whether moves of Phi are accepted or rejected
};

type Hyper = Readonly<typeof defaults>;

function check(problem: Problem, hyper: Hyper): void {
  checkModel(problem, hyper);
  const { stepSize, decaySteps, damping, priorStepSize, posteriorStepSize } = hyper;
  checkPositive({ stepSize, decaySteps, damping, priorStepSize, posteriorStepSize });
  const { chainStepSize, sgdLearningRate } = hyper;
  checkPositive({ chainStepSize, sgdLearningRate });
  if (!(hyper.alpha >= 0 && hyper.alpha < 1)) {
    throw new RangeError(`alpha must be in [0, 1), got ${hyper.alpha}`);
  }
  checkNotNegative({ energyPenalty: hyper.energyPenalty, decayPower: hyper.decayPower });
  const { innerSteps, inputDim, chainSteps, chainCount, priorSteps, posteriorSteps } = hyper;
  checkCounts({ innerSteps, inputDim, chainSteps }, 1);
  checkCounts({ chainCount, priorSteps, posteriorSteps }, 0);
  choice("variant", hyper.variant, VARIANTS);
  choice("learning", hyper.learning, LEARNING);
}

/** Frozen g and h, the trained last layers Phi and Psi, and Theta: decoder, sigma and energy. */
function init(problem: Problem, hyper: Hyper, noise: Noise): State {
  if (hyper.variant === "neurips") return initNeurips(problem, hyper, noise);
  const { image } = problem;
  const { inputDim, latentDim } = hyper;
  const lastLayer = (name: string, d: number) =>
    tf.mul(noise.split(name).normal([d, latentDim]), Math.sqrt(1 / d));
  const state: State = {
    ...initModel(problem, hyper, noise),
    ...initNet(featureNet(image, hyper), noise),
    ...initSampler(hyper, noise),
    ...initNet(energyNet(hyper), noise),
    phi: lastLayer("phi", featureCount(image, hyper)),
    psi: lastLayer("psi", samplerFeatureCount(inputDim, hyper)),
  };
  return { ...state, ...initPsgld(state, [...theta(state, hyper), "phi", "psi"]) };
}

/** Names of Theta. */
function theta(state: State, hyper: Hyper): string[] {
  return [...modelParameters(state, hyper), ...namesBelow(state, "energy")];
}

/** What L sees of a minibatch: fixed features, so that no gradient reaches g or h. */
interface Inputs {
  /** Images [m, height, width, channels] in [-1, 1]. */
  readonly x: tf.Tensor;
  /** g(x), [m, d]. */
  readonly g: tf.Tensor2D;
  /** h(u), [m, d]. */
  readonly h: tf.Tensor2D;
}

/** L(Theta, Phi, Psi) / n on a minibatch, eq. 14, and what to record. */
function objective(all: State, { x, g, h }: Inputs, hyper: Hyper) {
  const z = tf.matMul(g, all.phi as tf.Tensor2D);
  const prior = tf.matMul(h, all.psi as tf.Tensor2D);
  const { negLog, squaredError } = reconstruct(all, { latents: z, x, hyper });
  // Deviation: The energy has a Gaussian base, net(z) + ||z||^2 / 2, as LEBM's: the net of eq. 9 alone may not be normalizable
  const energyPosterior = tf.mean(priorEnergy(all, { latents: z, hyper })) as tf.Scalar;
  const energyPrior = tf.mean(priorEnergy(all, { latents: prior, hyper })) as tf.Scalar;
  const loss = tf.add(tf.sub(energyPosterior, energyPrior), tf.mean(negLog)) as tf.Scalar;
  return { loss, squaredError, energyPosterior, energyPrior };
}

/** energyPenalty times the sum of the means of net(z)^2 over data and over chains, for given latents of both [2m, latentDim]. */
function penaltyOf(all: State, latents: tf.Tensor, hyper: Hyper): tf.Scalar {
  // Deviation: Theta's loss has energyPenalty times the mean of net(z)^2, for the level of the energy is free in eq. 14
  return tf.mul(tf.mean(tf.square(netEnergy(all, { latents, hyper }))), 2 * hyper.energyPenalty);
}

/** Algorithm 2, or Algorithm 4 with a bounded inner loop, on one minibatch. */
function step(state: State, batch: Batch, hyper: Hyper, noise: Noise): StepResult {
  if (hyper.variant === "neurips") return stepNeurips(state, batch, hyper, noise);
  const x = toModelRange(batch.images);
  const h = chainFeatures(state, batch.rows, { hyper, noise });
  const inputs = { x, g: encoderFeatures(state, x, hyper), h };
  const t = tf.cast(batch.step, "float32") as tf.Scalar;
  const stepSize = decayedStepSize(hyper, t);
  const inner = hyper.learning === "ml" ? hyper.innerSteps : 1;

  const moved = innerMoves(state, inputs, { hyper, noise: noise.split("inner"), t, stepSize });
  const names = theta(state, hyper);
  // Outside of the tape: the penalty moves neither Phi nor Psi.
  const latents = tf.concat([
    tf.matMul(inputs.g, moved.phi as tf.Tensor2D),
    tf.matMul(inputs.h, moved.psi as tf.Tensor2D),
  ]);
  const { parts, gradients } = lossAndGradients((params) => {
    const all = { ...moved, ...params };
    const { loss, ...others } = objective(all, inputs, hyper);
    return { loss: tf.add(loss, penaltyOf(all, latents, hyper)) as tf.Scalar, ...others };
  }, pick(moved, [...names, "phi", "psi"]));

  const latentMoves = tf.add(tf.mul(t, inner), inner - 1) as tf.Scalar;
  const withLatents = moveLatents(moved, {
    gradients,
    xi: drawsLike(state, { names: ["phi", "psi"], noise: noise.split("xi") }),
    hyper,
    stepSize,
    moves: latentMoves,
  });
  const next = psgld(withLatents, {
    gradients: pick(gradients, names),
    xi: hyper.learning === "bayes" ? drawsLike(state, { names, noise: noise.split("xi") }) : null,
    stepSize,
    count: state.trainCount as tf.Scalar,
    alpha: hyper.alpha,
    damping: hyper.damping,
    moves: t,
  });
  return { state: boundSigma(next, hyper), metrics: { ...parts, sigma: sigmaOf(state) } };
}

/** One move of Phi, down L, and of Psi, up L, each with noise: Langevin for exp(-sum U(x, z)) and exp(-sum f(z)). */
function moveLatents(
  state: State,
  { gradients, xi, hyper, stepSize, moves }: {
    gradients: State;
    xi: State;
    hyper: Hyper;
    stepSize: number | tf.Scalar;
    moves: tf.Scalar;
  },
): State {
  const shared = { xi, stepSize, moves, alpha: hyper.alpha, damping: hyper.damping };
  const trainCount = state.trainCount as tf.Scalar;
  const afterPhi = psgld(state, {
    ...shared,
    gradients: { phi: gradients.phi },
    count: trainCount,
  });
  return psgld(afterPhi, {
    ...shared,
    gradients: { psi: tf.neg(gradients.psi) },
    count: hyper.chainCount || trainCount,
  });
}

/** The inner moves of Algorithm 4 but the last, which shares its evaluation of L with the step of Theta. */
function innerMoves(
  state: State,
  inputs: Inputs,
  { hyper, noise, t, stepSize }: {
    hyper: Hyper;
    noise: Noise;
    t: tf.Scalar;
    stepSize: number | tf.Scalar;
  },
): State {
  // Deviation: Algorithm 4's inner loop is innerSteps moves on one minibatch, the last one sharing its evaluation of L with Theta's step
  const count = hyper.learning === "ml" ? hyper.innerSteps - 1 : 0;
  if (count === 0) return state;
  const latents = ["phi", "psi"];
  const draws = drawsLike(state, { names: latents, noise, leading: [count] });
  const index = tf.range(0, count);
  const moved = repeat(
    count,
    pick(state, psgldEntries(latents)),
    (carried, { index, ...xi }) => {
      const all = { ...state, ...carried };
      const { gradients } = lossAndGradients(
        (params) => objective({ ...all, ...params }, inputs, hyper),
        pick(all, latents),
      );
      const moves = tf.add(tf.mul(t, hyper.innerSteps), index) as tf.Scalar;
      const next = moveLatents(all, { gradients, xi, hyper, stepSize, moves });
      return pick(next, Object.keys(carried));
    },
    { index, ...draws } as State,
  );
  return { ...state, ...moved };
}

/** Images of prior chains that start at the sampler's outputs. */
function sample(state: State, count: number, hyper: Hyper, noise: Noise): tf.Tensor4D {
  if (hyper.variant === "neurips") return sampleStandardNormal(state, count, hyper, noise);
  // Deviation: Samples come from priorSteps Langevin steps that start at the sampler's outputs: for new inputs they are no samples by themselves, and for the trained inputs they repeat
  const h = newChainFeatures(state, count, { hyper, noise });
  const start = tf.matMul(h, state.psi as tf.Tensor2D) as tf.Tensor2D;
  return decode(state, priorChain(state, { start, hyper, noise }), hyper);
}

/** Algorithm 3: plain Langevin dynamics from the encoder's output. */
function infer(state: State, images: tf.Tensor4D, hyper: Hyper, noise: Noise): tf.Tensor2D {
  if (hyper.variant === "neurips") return inferNeurips(state, images, hyper, noise);
  const x = toModelRange(images);
  const start = encode(state, x, hyper);
  return posteriorChain(state, { x, start, hyper, noise });
}

function noLogWeight({ variant }: Hyper): string | null {
  return variant === "neurips"
    ? null
    : `the learned prior of variant=${variant} has no known normaliser; variant=neurips has N(0, I)`;
}

function logWeight(state: State, images: tf.Tensor4D, hyper: Hyper, noise: Noise): tf.Tensor1D {
  const why = noLogWeight(hyper);
  if (why !== null) throw new RangeError(why);
  return logWeightNeurips(state, images, hyper, noise);
}

export const lae: Method<Hyper> = {
  name: "lae",
  label: "LAE",
  description: "LD + EBM + amortization",
  source: "Langevin Autoencoders (ICLR 2022 submission), section 4, eq. 9-14, algorithms 2-4, F.3",
  deviations: [
    ...MODEL_DEVIATIONS,
    ...PSGLD_DEVIATIONS,
    "pSGLD at alpha 0.99 samples about exp(-U) / G instead of exp(-U), since G follows the chain: on the toy posteriors the mean energy is 0.20 to 0.30 nats too high in two dimensions and 0.1 in one, variances within modes are 25 % too large (deno task bench toy --samplers lae_phi)",
    "The energy has a Gaussian base, net(z) + ||z||^2 / 2, as LEBM's: the net of eq. 9 alone may not be normalizable",
    "Theta's loss has energyPenalty times the mean of net(z)^2, for the level of the energy is free in eq. 14",
    "Algorithm 4's inner loop is innerSteps moves on one minibatch, the last one sharing its evaluation of L with Theta's step",
    "variant=neurips repairs the decoder's input size and the warm-up call of LAE's released code, which does not run as it is",
    "Samples come from priorSteps Langevin steps that start at the sampler's outputs: for new inputs they are no samples by themselves, and for the trained inputs they repeat",
  ],
  defaults,
  check,
  warnings: rankWarnings,
  init,
  step,
  sample,
  infer,
  decode,
  logWeight,
  noLogWeight,
  amortized: amortizedChains,
};
