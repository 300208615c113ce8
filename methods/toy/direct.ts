import * as tf from "@tensorflow/tfjs";
import type { Sampler, SamplerSettings, Target } from "../../harness/core/toy_types.ts";
import type { State } from "../../harness/core/types.ts";
import { type Integrator, type Positions, potentialOf } from "./integrator.ts";
import { minibatchWeights } from "./minibatch.ts";

/** Members that `direct` and `amortized` copy from their argument. */
export type Described =
  & Pick<Sampler, "name" | "label" | "source" | "deviations">
  & Partial<Pick<Sampler, "method" | "hyper" | "settings" | "ungated" | "bias">>;

/** A sampler that moves each point's z by `integrator`, on all points in each step or on minibatches. */
export function direct(
  integrator: Integrator,
  { minibatch = false, ...described }: Described & { readonly minibatch?: boolean },
): Sampler {
  const potential = (target: Target, parameters: State, weights?: tf.Tensor2D) =>
    potentialOf((z) => {
      const energy = tf.neg(target.logDensity(z, parameters));
      return (weights ? tf.mul(energy, weights) : energy) as tf.Tensor2D;
    });
  const shapeOf = ({ points, dim }: Target, { chains }: SamplerSettings) =>
    [chains, points, dim] as [number, number, number];
  return {
    ...described,
    rule: integrator.rule,
    ...minibatchSettings(described, minibatch),
    ...gradientCost(integrator, minibatch),
    init: (target, { settings, noise }) => {
      const x = noise.split("start").normal(shapeOf(target, settings)) as Positions;
      return { x, ...integrator.init?.(x, potential(target, hostParameters(target))) };
    },
    draws: (target, settings) => ({
      ...integrator.draws(shapeOf(target, settings)),
      ...(minibatch ? orderDraws(target, settings) : {}),
    }),
    step: (state, { target, parameters, settings, draws, step }) =>
      integrator.step(state, {
        draws,
        moves: step,
        points: target.points,
        stepSize: settings.stepSize,
        potential: potential(
          target,
          parameters,
          minibatch ? minibatchWeights(draws.order as tf.Tensor2D, settings.batchSize) : undefined,
        ),
      }),
    latents: ({ x }) => x as Positions,
    ...(integrator.stationary && { kernel: kernelOf(integrator.stationary, minibatch) }),
    ...(!minibatch && integrator.move && {
      move: integrator.move,
      hasExactMove: integrator.hasExactMove ?? false,
    }),
    ...(integrator.preconditioned && { preconditioned: true }),
    ...(integrator.countsAccepted && { accepted: ({ accepted }: State) => accepted }),
  };
}

/**
 * Steps of minibatch chains are shorter by sqrt(m / n): a point that is in moves n / m times as far, so that m / n would
 * keep the bias, and 1 the mixing.
 */
export function minibatchSettings(
  described: Described,
  minibatch: boolean,
): Pick<Sampler, "settings"> {
  return {
    settings: (target) => ({
      ...(minibatch
        ? { stepSize: target.stepSize * Math.sqrt(target.batchSize / target.points) }
        : {}),
      ...described.settings?.(target),
    }),
  };
}

/** The stationary distribution of an integrator whose points are in a minibatch by turns, or always. */
export function kernelOf(
  stationary: "euler" | "exact",
  minibatch: boolean,
): NonNullable<Sampler["kernel"]> {
  return ({ points }, { stepSize, batchSize }) =>
    stationary === "exact" ? stationary : { stepSize, share: minibatch ? batchSize / points : 1 };
}

/** Cost of an integrator's steps, and their variance on Gaussians. */
export function gradientCost(
  { gradients, varianceRatio }: Integrator,
  minibatch: boolean,
): Pick<Sampler, "gradientsPerStep" | "varianceRatio"> {
  return {
    gradientsPerStep: ({ points }, { batchSize }) =>
      gradients * (minibatch ? batchSize / points : 1),
    // A weight w of mean 1 and second moment n / m makes E(1 - w x)^2 = 1 - 2 x + x^2 n / m: Euler's factor at x n / m.
    ...(varianceRatio && {
      varianceRatio: (precision, { target: { points }, settings: { stepSize, batchSize } }) =>
        varianceRatio(stepSize * precision * (minibatch ? points / batchSize : 1)),
    }),
  };
}

/** Uniforms that order the points of each chain. */
export function orderDraws({ points }: Target, { chains }: SamplerSettings) {
  return { order: { shape: [chains, points], kind: "uniform" } } as const;
}

/** The target's parameters as tensors, for an eager start. */
export function hostParameters({ parameters }: Target): State {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { data, shape, dtype }]) => [
      name,
      tf.tensor(data, shape as number[], dtype),
    ]),
  );
}
