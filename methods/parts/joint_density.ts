/**
 * The capability `joint` of methods with the shared observation model: p(x, z) = p(z) p(x | z).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { JointDensity, Noise, PartialImages, Tree } from "../../harness/core/types.ts";
import type { EnergyPrior } from "./energy_prior.ts";
import { posteriorChain, type PosteriorChainHyper, type PriorEnergy } from "./latent_chains.ts";
import { toModelRange } from "./likelihood.ts";
import type { NetParams } from "./nets.ts";
import type { ObservationModel, ObservationParams } from "./observation_model.ts";

/** The joint density under the prior N(0, I). */
export function gaussianJoint(
  model: ObservationModel,
  latentDim: number,
): JointDensity<ObservationParams> {
  return {
    dim: latentDim,
    drawLatents: (_state, count, noise) => noise.split("latents").normal([count, latentDim]),
    drawImages: (state, latents, noise) => {
      const x = model.draw(state, latents, noise.split("pixels"));
      return tf.mul(tf.add(x, 1), 0.5); // the inverse of toModelRange
    },
    logLikelihood: (state, images, latents) =>
      tf.neg(model.reconstruct(state, { latents, x: toModelRange(images) }).negLog),
  };
}

/** The joint density under the learned prior `prior`, whose draws are `drawLatents`. */
export function energyJoint<S extends ObservationParams & { readonly energy: NetParams }>(
  { model, prior }: { readonly model: ObservationModel; readonly prior: EnergyPrior },
  { dim, drawLatents }: Pick<JointDensity<S>, "dim" | "drawLatents">,
): JointDensity<S> {
  return {
    ...gaussianJoint(model, dim),
    drawLatents,
    tilt: (state, latents) => tf.neg(prior.net(state.energy, latents)),
  };
}

/** A posterior chain from `start` [n, dim], given the pixels of `images` that are seen. */
export type ChainFrom<S extends Tree> = (
  state: S,
  request: PartialImages & { readonly start: tf.Tensor2D },
  noise: Noise,
) => tf.Tensor2D;

/** `JointDensity.chainFrom` of a method whose `infer` ends with a posterior chain; `energyOf` is -log p(z) + constant. */
export function chainFromStart<S extends ObservationParams>(
  model: ObservationModel,
  { energyOf, hyper, stepScaleOf, isNoisy = true }: {
    readonly energyOf: (state: S) => PriorEnergy;
    readonly hyper: PosteriorChainHyper;
    /** As of `posteriorChain`. */
    readonly stepScaleOf?: (state: S) => tf.Scalar | undefined;
    /** False for gradient descent in place of the chain. */
    readonly isNoisy?: boolean;
  },
): ChainFrom<S> {
  return (state, { images, seen, start }, noise) => {
    const x = toModelRange(images);
    return posteriorChain(model, {
      params: state,
      energy: energyOf(state),
      x,
      seen,
      start,
      hyper,
      noise: isNoisy ? noise : undefined,
      stepScale: stepScaleOf?.(state),
    });
  };
}
