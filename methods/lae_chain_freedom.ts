/**
 * What measures how freely LAE's posterior chains z = Phi g(x) move (harness/run/amortization.ts: leverage, rank and variance
 * ratio): their features, one move of Phi by the training's own rule, and free chains for the same posterior.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { AmortizedChains, Batch, Noise, State } from "../harness/core/types.ts";
import { encode, encoderFeatures } from "./parts/amortized_encoder.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import { moveChain, type NeuripsHyper } from "./lae_neurips.ts";
import { posteriorChain, type PosteriorChainHyper, priorEnergy } from "./parts/latent_prior.ts";
import { toModelRange } from "./parts/likelihood.ts";
import { pick, reconstruct } from "./parts/model.ts";
import { decayedStepSize, type DecayHyper, drawsLike, psgld } from "./samplers/psgld.ts";
import { standardNormalPosteriorChain } from "./parts/standard_normal.ts";

/** Hyperparameters of LAE that decide how its posterior chains move. */
export type ChainHyper =
  & NeuripsHyper
  & PosteriorChainHyper
  & DecayHyper
  & Readonly<
    { variant: string; learning: string; innerSteps: number; alpha: number; damping: number }
  >;

/** What the harness needs to measure how freely the chains of both variants move. */
export const amortizedChains: AmortizedChains<ChainHyper> = {
  features: (state, images, hyper) => encoderFeatures(state, toModelRange(images), hyper),
  latents: (state, images, hyper) => encode(state, toModelRange(images), hyper),
  move: (state, batch, hyper, noise) =>
    hyper.variant === "neurips"
      ? moveNeurips(state, batch, hyper, noise)
      : moveIclr(state, batch, hyper, noise),
  freeChains,
};

/** The move of Phi of Algorithm 2 or 4, with Theta at rest: psgld() on -log p(x | z) + f(z). */
function moveIclr(state: State, batch: Batch, hyper: ChainHyper, noise: Noise): State {
  const x = toModelRange(batch.images);
  const g = encoderFeatures(state, x, hyper);
  const { gradients } = lossAndGradients((params) => {
    const latents = tf.matMul(g, params.phi as tf.Tensor2D);
    const { negLog } = reconstruct(state, { latents, x, hyper });
    return { loss: tf.mean(tf.add(negLog, priorEnergy(state, { latents, hyper }))) as tf.Scalar };
  }, pick(state, ["phi"]));
  const t = tf.cast(batch.step, "float32") as tf.Scalar;
  return psgld(state, {
    gradients,
    xi: drawsLike(state, { names: ["phi"], noise: noise.split("xi") }),
    stepSize: decayedStepSize(hyper, t),
    count: state.trainCount as tf.Scalar,
    alpha: hyper.alpha,
    damping: hyper.damping,
    moves: hyper.learning === "ml" ? tf.mul(t, hyper.innerSteps) as tf.Scalar : t,
  });
}

/** The move of Phi of the NeurIPS version, with decoder, tau and features at rest. */
function moveNeurips(state: State, batch: Batch, hyper: ChainHyper, noise: Noise): State {
  const x = toModelRange(batch.images);
  const g = encoderFeatures(state, x, hyper);
  const { phi } = moveChain(state, { x, g, phi: state.phi as tf.Tensor2D, hyper, noise });
  return { ...state, phi };
}

/** The ends of chains of each image's own from the encoder's outputs, [n, latentDim]. */
function freeChains(
  state: State,
  images: tf.Tensor4D,
  hyper: ChainHyper,
  noise: Noise,
): tf.Tensor2D {
  const x = toModelRange(images);
  // For a time of one, eta K = 1: where the prior alone holds a direction, precision 1, 1 - e^-2 = 86 % of its variance.
  const long = { ...hyper, posteriorSteps: Math.ceil(1 / hyper.posteriorStepSize) };
  const chain = hyper.variant === "neurips" ? standardNormalPosteriorChain : posteriorChain;
  return chain(state, { x, start: encode(state, x, hyper), hyper: long, noise });
}
