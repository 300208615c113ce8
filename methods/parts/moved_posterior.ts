/**
 * Autoencoders whose posterior is a Gaussian draw moved by a few steps of dynamics on z and a momentum p: the Hamiltonian VAE
 * and the Langevin-VAE. With (z_K, p_K) the end of K steps from z_0 ~ q_0 = N(mu(x), diag s(x)^2) and p_0 = sqrt(T_0) xi, and
 * log |det| that of the steps, the bound is
 * E[log p(x, z_K) + log N(p_K; 0, I) - log q_0(z_0 | x) - log N(p_0; 0, T_0 I) + log |det|], at most log p(x).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import "../../harness/core/nested_gradients.ts";
import type { Model, Noise, PartialImages, Problem, Tree } from "../../harness/core/types.ts";
import { checkCounts } from "./checks.ts";
import {
  type DiagonalGaussian,
  drawFrom,
  entropy,
  gaussianEncoder,
  logDensity,
} from "./gaussian_encoder.ts";
import { lossAndGradients } from "./gradients.ts";
import { gaussianJoint } from "./joint_density.ts";
import { toModelRange } from "./likelihood.ts";
import type { NetParams } from "./nets.ts";
import {
  type LearnedParams,
  type ObservationHyper,
  observationModel,
  type ObservationParams,
  sigmaOf,
} from "./observation_model.ts";
import { type OptimizerHyper, optimizerOf, type OptimizerState } from "./optimizer.ts";
import { halfSquaredNorm, logStandardNormal, sampleStandardNormal } from "./standard_normal.ts";
import { stepFlops } from "./step_flops.ts";
import type { Gradient, Phase } from "../samplers/phase_space.ts";

/** The dynamics, with learned parameters D. */
export interface Dynamics<D extends Tree> {
  /** Gradients of U in one run. */
  readonly gradients: number;
  init(): D;
  /** T_0, the variance of the first momentum. */
  temperature(params: D): tf.Scalar;
  /** The end of the steps from `start`, [m, d] each, and their log |det| for each dimension. */
  run(
    params: D,
    options: { readonly start: Phase; readonly gradient: Gradient; readonly noise: Noise },
  ): Phase & { readonly logDetPerDimension: tf.Scalar };
  /** Scalars to record. */
  metrics(params: D): Readonly<Record<string, tf.Scalar>>;
}

/** Hyperparameters that every such method has. */
export type MovedHyper = ObservationHyper & OptimizerHyper & Readonly<{ integratorSteps: number }>;

type Learned<D extends Tree> = LearnedParams & {
  readonly encoder: NetParams;
  readonly dynamics: D;
};
type Params<D extends Tree> = ObservationParams & {
  readonly encoder: NetParams;
  readonly dynamics: D;
};

/** A draw of q_0 and where the dynamics take it. */
interface Moved {
  readonly q: DiagonalGaussian;
  readonly start: tf.Tensor2D;
  /** Standard normal: p_0 is sqrt(T_0) of it. */
  readonly xi: tf.Tensor2D;
  readonly z: tf.Tensor2D;
  readonly p: tf.Tensor2D;
  /** log |det| of the steps, over all dimensions. */
  readonly logDet: tf.Scalar;
  readonly logTemperature: tf.Scalar;
}

/** The model for `problem` with these dynamics. */
export function movedPosterior<D extends Tree>(
  problem: Problem,
  hyper: MovedHyper,
  dynamics: Dynamics<D>,
): Model<Params<D> & OptimizerState<Learned<D>>> {
  const { latentDim } = hyper;
  checkCounts({ integratorSteps: hyper.integratorSteps }, 0);
  const model = observationModel(problem.image, hyper);
  const encoder = gaussianEncoder(problem.image, hyper);
  const optimizer = optimizerOf<Learned<D>>(hyper);
  const learned = (params: Params<D>): Learned<D> => ({
    encoder: params.encoder,
    dynamics: params.dynamics,
    ...model.learned(params),
  });
  const drawsOf = (count: number, noise: Noise) => ({
    latents: noise.split("latents").normal<tf.Tensor2D>([count, latentDim]),
    xi: noise.split("momentum").normal<tf.Tensor2D>([count, latentDim]),
    noise: noise.split("dynamics"),
  });

  const move = (
    params: Params<D>,
    { x, seen, latents, xi, noise }:
      & { readonly x: tf.Tensor; readonly seen?: tf.Tensor }
      & ReturnType<typeof drawsOf>,
  ): Moved => {
    const gradient: Gradient = tf.grad((z: tf.Tensor): tf.Scalar => {
      const { negLog } = model.reconstruct(params, { latents: z, x, seen });
      return tf.sum(tf.add(negLog, halfSquaredNorm(z)));
    });
    const q = encoder.encode(params.encoder, x);
    const start = drawFrom(q, latents);
    const temperature = dynamics.temperature(params.dynamics);
    const p0 = tf.mul(xi, tf.sqrt(temperature));
    const end = dynamics.run(params.dynamics, { start: { z: start, p: p0 }, gradient, noise });
    return {
      q,
      start,
      xi,
      z: end.z as tf.Tensor2D,
      p: end.p as tf.Tensor2D,
      logDet: tf.mul(end.logDetPerDimension, latentDim),
      logTemperature: tf.log(temperature),
    };
  };

  /** z_K. */
  const infer = (
    state: Params<D>,
    { images, seen }: PartialImages,
    noise: Noise,
  ): tf.Tensor2D =>
    move(state, { x: toModelRange(images), seen, ...drawsOf(images.shape[0], noise) }).z;

  return {
    flops: stepFlops(
      problem.batchSize,
      3 * (encoder.macs + (2 * dynamics.gradients + 1) * model.macs),
    ),

    init(noise) {
      const params = {
        ...model.init(noise),
        encoder: encoder.init(noise),
        dynamics: dynamics.init(),
      };
      return { ...params, ...optimizer.init(learned(params)) };
    },

    /** One optimizer step on minus the bound with one draw per image, the entropies of q_0 and of the momentum in closed form. */
    step(state, { images, step, seen }, noise) {
      const x = toModelRange(images);
      const draws = drawsOf(x.shape[0], noise);
      const { parts, gradients } = lossAndGradients((params) => {
        const all = { ...state, ...params } as Params<D>;
        const { q, z, p, logDet, logTemperature } = move(all, { x, seen, ...draws });
        const { negLog, squaredError } = model.reconstruct(all, { latents: z, x, seen });
        const negLogPrior = tf.add(halfSquaredNorm(z), 0.5 * latentDim * Math.log(2 * Math.PI));
        // -log N(p_K; 0, I) less the entropy of N(0, T_0 I).
        const momentum = tf.sub(
          tf.sub(halfSquaredNorm(p), latentDim / 2),
          tf.mul(logTemperature, latentDim / 2),
        );
        const kl = tf.sub<tf.Scalar>(
          tf.mean(tf.add(tf.sub(negLogPrior, entropy(q)), momentum)),
          logDet,
        );
        return { loss: tf.add<tf.Scalar>(tf.mean(negLog), kl), kl, squaredError };
      }, learned(state));
      const next = optimizer.descend(learned(state), { slots: state, gradients, step });
      return {
        state: model.boundSigma({ ...state, ...next }),
        metrics: { ...parts, ...dynamics.metrics(state.dynamics), sigma: sigmaOf(state) },
      };
    },

    sample: (state, { count }, noise) =>
      sampleStandardNormal(model, { params: state, count, latentDim, noise }),

    latents: {
      dim: latentDim,
      infer: (state, images, noise) => infer(state, { images }, noise),
      decode: model.decode,
    },

    joint: gaussianJoint(model, latentDim),
    partial: { needsPartialTraining: true, infer },

    likelihood: {
      gradientsPerDraw: dynamics.gradients,
      /** log p(x, z_K) + log N(p_K; 0, I) - log q_0(z_0 | x) - log N(p_0; 0, T_0 I) + log |det|. */
      logWeight: (state, images, noise) => {
        const x = toModelRange(images);
        const moved = move(state, { x, ...drawsOf(images.shape[0], noise) });
        const { negLog } = model.reconstruct(state, { latents: moved.z, x });
        const target = tf.sub(
          tf.add(logStandardNormal(moved.z), logStandardNormal(moved.p)),
          negLog,
        );
        const logStart = tf.sub(
          tf.add(logDensity(moved.q, moved.start), logStandardNormal(moved.xi)),
          tf.mul(moved.logTemperature, latentDim / 2),
        );
        return tf.add(tf.sub(target, logStart), moved.logDet);
      },
    },
  };
}
