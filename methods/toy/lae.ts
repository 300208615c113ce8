/**
 * LAE's training chains of last layers: minibatches, pSGLD and the step size that its defaults have. pSGLD at alpha 0.99 is
 * known to sample another distribution, so that its moments are compared with the baseline instead of the posterior's.
 *
 * @module
 */
import type { Sampler } from "../../harness/core/toy_types.ts";
import { lae } from "../lae.ts";
import { amortized } from "./amortized.ts";
import { rmsPreconditioned } from "./psgld.ts";

const { stepSize, decayPower, decaySteps, alpha, damping } = lae.defaults;

/** The defaults of LAE that its chains depend on. */
export const LAE_PSGLD = { stepSize, decayPower, decaySteps, alpha, damping } as const;

/** Moves until the start is forgotten: G sets the pace, and the slowest directions take some hundreds. */
const BURN_IN = 4000;
/** Times the target's draws, so that the size of the deviation is known. */
const LONGER = 2;

/** The last layer of the encoder, or of the latent sampler network: one rule, other names. */
function lastLayer(described: Pick<Sampler, "name" | "label" | "source">): Sampler {
  return amortized(
    rmsPreconditioned({ alpha, damping, ofMean: true, decay: { decayPower, decaySteps } }),
    {
      ...described,
      method: lae.name,
      hyper: LAE_PSGLD,
      deviations: ["features are whitened: G G' = I"],
      features: "whitened",
      minibatch: true,
      settings: ({ length: { steps, burnIn, thin } }) => {
        const forgotten = Math.ceil(BURN_IN / thin) * thin;
        return {
          stepSize,
          burnIn: forgotten,
          steps: forgotten + LONGER * (steps - burnIn),
        };
      },
      ungated: () =>
        `alpha ${alpha} lets G follow the chain, which then samples about exp(-U) / G: compared with the baseline`,
    },
  );
}

/** Phi, for the posteriors. */
export const laePhi = lastLayer({
  name: "lae_phi",
  label: "LAE, Phi",
  source: "LAE algorithm 2 with Li et al. 2016, at the defaults of the method lae",
});

/** Psi, for the prior. */
export const laePsi = lastLayer({
  name: "lae_psi",
  label: "LAE, Psi",
  source: "LAE section 3.3 with Li et al. 2016, at the defaults of the method lae",
});
