import * as tf from "@tensorflow/tfjs";
import type { Sampler, SamplerSettings, Target } from "../../harness/core/toy_types.ts";
import type { Noise, State } from "../../harness/core/types.ts";
import {
  type Described,
  gradientCost,
  hostParameters,
  kernelOf,
  minibatchSettings,
  orderDraws,
} from "./direct.ts";
import { networkFeatures, whitenedFeatures } from "./features.ts";
import { type Integrator, type Positions, potentialOf } from "./integrator.ts";
import { minibatchWeights } from "./minibatch.ts";

/** How the fixed features are made: whitened, or those of PyTorch's default initialisation as they are. */
export type FeatureKind = "whitened" | "printed";

/** Options of `amortized`. */
export interface AmortizedOptions extends Described {
  readonly features: FeatureKind;
  readonly minibatch?: boolean;
}

/**
 * A sampler that moves the last layer Phi [d, dim] of an encoder by `integrator`, and with it all z = G Phi. Every chain
 * has an encoder of its own. LAE algorithm 1 and Theorem 1.
 */
export function amortized(
  integrator: Integrator,
  { features, minibatch = false, ...described }: AmortizedOptions,
): Sampler {
  const shapeOf = ({ dim }: Target, { chains, featureDim }: SamplerSettings) =>
    [chains, 1, featureDim * dim] as [number, number, number];
  const latents = ({ x, features }: State, { dim }: Target) => {
    const [chains, , d] = features.shape;
    return tf.matMul(features, tf.reshape(x, [chains, d, dim])) as tf.Tensor3D;
  };
  const potential = (
    target: Target,
    { features, parameters, weights }: {
      readonly features: tf.Tensor;
      readonly parameters: State;
      readonly weights?: tf.Tensor2D;
    },
  ) =>
    potentialOf((x) => {
      const energy = tf.neg(target.logDensity(latents({ x, features }, target), parameters));
      return tf.sum(weights ? tf.mul(energy, weights) : energy, 1, true) as tf.Tensor2D;
    });
  const { varianceRatio, ...cost } = gradientCost(integrator, minibatch);
  return {
    ...described,
    rule: integrator.rule,
    ...minibatchSettings(described, minibatch),
    ...cost,
    ...(features === "whitened" && varianceRatio && { varianceRatio }),
    ...(integrator.preconditioned && { preconditioned: true }),
    // With G G' = I each z moves as by itself.
    ...(features === "whitened" && integrator.stationary && {
      kernel: kernelOf(integrator.stationary, minibatch),
    }),
    ...(integrator.countsAccepted &&
      { accepted: ({ accepted }: State) => accepted, decidesJointly: true }),
    init: (target, { settings, noise }) => {
      const x = noise.split("start").normal(shapeOf(target, settings)) as Positions;
      const fixed = drawFeatures(target, { features, settings, noise });
      const parameters = hostParameters(target);
      const extra = integrator.init?.(x, potential(target, { features: fixed, parameters }));
      return { x, features: fixed, ...extra };
    },
    draws: (target, settings) => ({
      ...integrator.draws(shapeOf(target, settings)),
      ...(minibatch ? orderDraws(target, settings) : {}),
    }),
    step: (state, { target, parameters, settings, draws, step }) => {
      const weights = minibatch
        ? minibatchWeights(draws.order as tf.Tensor2D, settings.batchSize)
        : undefined;
      const next = integrator.step(state, {
        draws,
        moves: step,
        points: target.points,
        stepSize: settings.stepSize,
        potential: potential(target, { features: state.features, parameters, weights }),
      });
      return { ...next, features: state.features };
    },
    latents,
    features: ({ features }) => features,
  };
}

/** G of every chain, [chains, points, d]. */
function drawFeatures(
  { name, inputs, encoder, fourierScale }: Target,
  { features, settings: { chains, featureDim }, noise }: {
    readonly features: FeatureKind;
    readonly settings: SamplerSettings;
    readonly noise: Noise;
  },
): tf.Tensor3D {
  const all = Array.from({ length: chains }, (_, chain) => {
    const options = { inputs, encoder, featureDim, noise: noise.split("encoder", chain) };
    try {
      return features === "whitened"
        ? whitenedFeatures(options, fourierScale)
        : networkFeatures(options, "pytorch");
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(`Target ${name}: ${error.message}`, { cause: error });
    }
  });
  return tf.tensor3d(all);
}
