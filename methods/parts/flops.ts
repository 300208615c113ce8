/**
 * Floating-point operations of training steps, counted by hand from the networks: what a step has to do, whatever the
 * engine makes of it.
 *
 * @module
 */
import type { Hyperparams, Problem } from "../../harness/core/types.ts";
import {
  decoderNet,
  encoderNet,
  energyNet,
  featureCount,
  featureNet,
  type NetHyper,
  samplerFeatureCount,
  samplerNet,
} from "./architectures.ts";
import { macCount } from "./nets.ts";

/** Multiply-accumulates of one forward pass for one image. */
interface Macs {
  /** Encoder with a mean and a scale for each latent. */
  readonly encoder: number;
  readonly decoder: number;
  readonly energy: number;
  /** LAE: frozen g and h, and last layers Phi and Psi. */
  readonly features: number;
  readonly sampler: number;
  readonly phi: number;
  readonly psi: number;
}

/**
 * Multiply-accumulates of one step for one image, by method. A pass backward to the inputs costs about a pass forward,
 * and one to the weights another; so a network that learns costs 3 passes, a Langevin step 2, a frozen network 1.
 */
const STEP: Readonly<Record<string, (macs: Macs, hyper: Hyperparams) => number>> = {
  vae: ({ encoder, decoder }) => 3 * encoder + 3 * decoder,
  vae_flow: ({ encoder, decoder }) => 3 * encoder + 3 * decoder,
  abp: ({ decoder }, { posteriorSteps }) => 2 * Number(posteriorSteps) * decoder + 3 * decoder,
  // The decoder's weights learn from the end of the chain alone: 2 passes at its start.
  dlgm: ({ encoder, decoder }, { posteriorSteps }) =>
    3 * encoder + 2 * decoder + 2 * Number(posteriorSteps) * decoder + 3 * decoder,
  lebm: ({ decoder, energy }, { posteriorSteps, priorSteps }) =>
    2 * Number(posteriorSteps) * (decoder + energy) + 2 * Number(priorSteps) * energy +
    3 * decoder + 6 * energy,
  lae: ({ decoder, energy, features, phi, sampler, psi }, hyper) => {
    const { variant, learning, innerSteps } = hyper;
    if (variant === "neurips") {
      // Every move learns but the first; each evaluates its potential at its start, and at the proposal to judge it.
      const moves = Number(hyper.chainSteps) + 1;
      const evaluations = moves * (hyper.metropolis ? 2 : 1);
      return features + (moves - 1) * (3 * features + 3 * decoder + phi * 2) +
        evaluations * 2 * (decoder + phi);
    }
    // Forward, and backward to the last layers' weights, which are the first that a gradient does not pass.
    const latents = features + 2 * phi + sampler + 2 * psi;
    const inner = learning === "ml" ? Number(innerSteps) - 1 : 0;
    return latents + 3 * decoder + 6 * energy +
      inner * (2 * decoder + 4 * energy + 2 * phi + 2 * psi);
  },
};

/** Floating-point operations, 2 a multiply-accumulate, of one training step of `method` on a batch. */
export function stepFlops(method: string, problem: Problem, hyper: Hyperparams): number {
  const count = STEP[method];
  if (!count) {
    throw new RangeError(
      `No FLOP formula for method "${method}": known methods are ${Object.keys(STEP).join(", ")}`,
    );
  }
  return 2 * problem.batchSize * count(macsOf(problem, hyper as unknown as NetHyper), hyper);
}

function macsOf({ image }: Problem, hyper: NetHyper): Macs {
  const { latentDim } = hyper;
  const inputDim = Number((hyper as Hyperparams).inputDim ?? 0);
  return {
    encoder: macCount(encoderNet(image, hyper, 2 * latentDim).layers),
    decoder: macCount(decoderNet(image, hyper).layers),
    energy: macCount(energyNet(hyper).layers),
    features: macCount(featureNet(image, hyper).layers),
    sampler: macCount(samplerNet(inputDim, hyper).layers),
    phi: featureCount(image, hyper) * latentDim,
    psi: samplerFeatureCount(inputDim, hyper) * latentDim,
  };
}
