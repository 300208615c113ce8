/**
 * The Langevin autoencoder as published at NeurIPS 2022: features trained by SGD, one Metropolis-adjusted chain on the
 * encoder's last layer whose potential is that of the minibatch at hand, a fixed prior N(0, I). With `nets=mlp
 * likelihood=discretized_logistic` it is the released code (iShohei220/LAE), repaired where that does not run.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Batch, Noise, Problem, State, StepResult } from "../harness/core/types.ts";
import { encode, encoderFeatures } from "./parts/amortized_encoder.ts";
import { featureCount, featureNet } from "./parts/architectures.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import { toModelRange } from "./parts/likelihood.ts";
import { langevinStep } from "./samplers/langevin.ts";
import { metropolisStep, type Position } from "./samplers/metropolis.ts";
import { initModel, type ModelHyper, namesBelow, pick, reconstruct } from "./parts/model.ts";
import { initNet } from "./parts/nets.ts";
import { halfSquaredNorm, logJoint } from "./parts/standard_normal.ts";

/** Hyperparameters of this variant. */
export type NeuripsHyper =
  & ModelHyper
  & Readonly<{
    chainSteps: number;
    chainStepSize: number;
    sgdLearningRate: number;
    metropolis: boolean;
  }>;

/** Standard deviation of q(z | x) about the encoder's output, in the released evaluation. */
const TEST_DEVIATION = 0.05;

/** Trained features and decoder, the chain Phi, and tau: sigma = softplus(tau)^(-1/2). */
export function initNeurips(problem: Problem, hyper: NeuripsHyper, noise: Noise): State {
  const { image } = problem;
  // Deviation: variant=neurips repairs the decoder's input size and the warm-up call of LAE's released code, which does not run as it is
  const d = featureCount(image, hyper);
  const tau = tf.scalar(0); // sigma 1.2011
  return {
    ...initModel(problem, hyper, noise),
    ...initNet(featureNet(image, hyper), noise),
    phi: tf.mul(noise.split("phi").normal([d, hyper.latentDim]), Math.sqrt(1 / d)),
    tau,
    logSigma: logSigmaOf(tau),
  };
}

function logSigmaOf(tau: tf.Tensor): tf.Tensor {
  return tf.mul(tf.log(tf.softplus(tau)), -0.5);
}

/** U_i = -log p(x_i | z_i) + ||z_i||^2 / 2 with z = g Phi, [m], and the squared error. */
function potential(
  all: State,
  { x, g, phi, hyper }: { x: tf.Tensor; g: tf.Tensor2D; phi: tf.Tensor2D; hyper: NeuripsHyper },
) {
  const z = tf.matMul(g, phi);
  const { negLog, squaredError } = reconstruct(all, { latents: z, x, hyper });
  return { energies: tf.add(negLog, halfSquaredNorm(z)), squaredError };
}

/**
 * chainSteps + 1 moves of Phi on the minibatch's potential, the first to warm up; the mean of U over rows and over the
 * other moves, each at the Phi before it, plus the prior of tau over n, is what SGD lowers in decoder, tau and features.
 */
export function stepNeurips(
  state: State,
  batch: Batch,
  hyper: NeuripsHyper,
  noise: Noise,
): StepResult {
  const x = toModelRange(batch.images);
  const names = [...namesBelow(state, "features"), ...namesBelow(state, "decoder"), "tau"];
  const g = encoderFeatures(state, x, hyper);
  const now = { ...state, logSigma: logSigmaOf(state.tau) };
  let phi = state.phi as tf.Tensor2D;
  const gradients: State[] = [];
  const losses: tf.Scalar[] = [];
  const errors: tf.Scalar[] = [];
  const acceptances: tf.Scalar[] = [];
  for (let move = 0; move <= hyper.chainSteps; move++) {
    if (move > 0) {
      const here = lossAndGradients((params) => {
        const all = { ...state, ...params, logSigma: logSigmaOf(params.tau) };
        const g = encoderFeatures(all, x, hyper);
        const { energies, squaredError } = potential(all, { x, g, phi, hyper });
        const { tau } = params;
        // Logistic(0, 1) prior of tau: -log p = tau + 2 softplus(-tau).
        const prior = tf.div(tf.add(tau, tf.mul(tf.softplus(tf.neg(tau)), 2)), state.trainCount);
        return { loss: tf.add(tf.mean(energies), prior) as tf.Scalar, squaredError };
      }, pick(state, names));
      gradients.push(here.gradients);
      losses.push(here.parts.loss);
      errors.push(here.parts.squaredError);
    }
    const next = moveChain(now, { x, g, phi, hyper, noise: noise.split("move", move) });
    phi = next.phi;
    acceptances.push(next.acceptance);
  }
  const average = (scalars: readonly tf.Tensor[]) =>
    tf.div(scalars.reduce((sum, s) => tf.add(sum, s)), scalars.length);
  const learned = Object.fromEntries(names.map((name) => {
    const gradient = average(gradients.map((g) => g[name]));
    return [name, tf.sub(state[name], tf.mul(gradient, hyper.sgdLearningRate))];
  }));
  return {
    state: { ...state, ...learned, phi, logSigma: logSigmaOf(learned.tau) },
    metrics: {
      loss: average(losses) as tf.Scalar,
      squaredError: average(errors) as tf.Scalar,
      acceptance: average(acceptances) as tf.Scalar,
      sigma: tf.exp(state.logSigma) as tf.Scalar,
    },
  };
}

/** One move of Phi for exp(-sum of U over the minibatch), step size eta / m. */
export function moveChain(
  state: State,
  { x, g, phi, hyper, noise }: {
    x: tf.Tensor;
    g: tf.Tensor2D;
    phi: tf.Tensor2D;
    hyper: NeuripsHyper;
    noise: Noise;
  },
): { readonly phi: tf.Tensor2D; readonly acceptance: tf.Scalar } {
  const size = phi.size;
  const evaluate = (w: tf.Tensor2D): Position => {
    // The mean, like the loss of what is learned, so that both share one pass through the decoder; then times m.
    const { parts, gradients } = lossAndGradients((params) => ({
      loss: tf.mean(
        potential(state, { x, g, phi: params.phi as tf.Tensor2D, hyper }).energies,
      ) as tf.Scalar,
    }), { phi: tf.reshape(w, phi.shape) });
    return {
      w,
      energy: tf.mul(tf.reshape(parts.loss, [1]), x.shape[0]),
      gradient: tf.mul(tf.reshape(gradients.phi, [1, size]), x.shape[0]),
    };
  };
  const current = evaluate(tf.reshape(phi, [1, size]));
  const stepSize = hyper.chainStepSize / x.shape[0];
  const xi = noise.split("xi").normal([1, size]) as tf.Tensor2D;
  if (!hyper.metropolis) {
    const moved = langevinStep(current.w, { gradient: current.gradient, xi, stepSize });
    return { phi: tf.reshape(moved, phi.shape), acceptance: tf.scalar(1) };
  }
  const uniform = noise.split("uniform").uniform([1]) as tf.Tensor1D;
  const { position, accepted } = metropolisStep(current, evaluate, { stepSize, xi, uniform });
  return { phi: tf.reshape(position.w, phi.shape), acceptance: tf.mean(accepted) as tf.Scalar };
}

/** A draw of N(Phi g(x), 0.05^2 I), as in the released evaluation. */
export function inferNeurips(
  state: State,
  images: tf.Tensor4D,
  hyper: NeuripsHyper,
  noise: Noise,
): tf.Tensor2D {
  const mean = encode(state, toModelRange(images), hyper);
  return tf.add(mean, tf.mul(noise.split("latents").normal(mean.shape), TEST_DEVIATION));
}

/** log p(x, z) - log q(z | x) at a draw of that q, [n]. */
export function logWeightNeurips(
  state: State,
  images: tf.Tensor4D,
  hyper: NeuripsHyper,
  noise: Noise,
): tf.Tensor1D {
  const x = toModelRange(images);
  const mean = encode(state, x, hyper);
  const xi = noise.split("latents").normal(mean.shape);
  const latents = tf.add(mean, tf.mul(xi, TEST_DEVIATION)) as tf.Tensor2D;
  const terms = tf.add(tf.square(xi), Math.log(2 * Math.PI * TEST_DEVIATION ** 2));
  return tf.add(logJoint(state, { latents, x, hyper }), tf.mul(tf.sum(terms, 1), 0.5));
}
