/**
 * The learned prior p(z) = exp(-f(z)) / Z of LEBM and LAE, an energy-based model on latents with a Gaussian base:
 * f(z) = net(z) + ||z||^2 / 2 (Pang et al. 2020, eq. 3 with the sign of their code).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise } from "../../harness/core/types.ts";
import { energyNet, type NetHyper } from "./architectures.ts";
import { applyNet, initNet, macCount, type NetParams } from "./nets.ts";
import { halfSquaredNorm } from "./standard_normal.ts";

/** The energy f of a learned prior; `params` are those of its network. */
export interface EnergyPrior {
  init(noise: Noise): NetParams;
  /** The network at `latents` [m, latentDim], without the Gaussian base: [m]. */
  net(params: NetParams, latents: tf.Tensor): tf.Tensor1D;
  /** f(z) for each row of `latents` [m, latentDim]: [m]. */
  energy(params: NetParams, latents: tf.Tensor): tf.Tensor1D;
  /** Multiply-accumulates of a forward pass for one latent. */
  readonly macs: number;
}

/** The learned prior on latents of `hyper.latentDim`. */
export function energyPrior(hyper: NetHyper): EnergyPrior {
  const layout = energyNet(hyper);
  const net: EnergyPrior["net"] = (params, latents) =>
    tf.reshape(applyNet(layout, { params, x: latents }), [latents.shape[0]]);
  return {
    init: (noise) => initNet(layout, noise),
    net,
    energy: (params, latents) => tf.add(net(params, latents), halfSquaredNorm(latents)),
    macs: macCount(layout.layers),
  };
}
