import * as tf from "@tensorflow/tfjs";
import type { DrawSpec, Sampler } from "../../harness/core/toy_types.ts";
import type { State } from "../../harness/core/types.ts";

/** Positions of chains, [chains, blocks, width]: blocks of a chain move independently of each other. */
export type Positions = tf.Tensor3D;

/** The energy U = -log density that positions move in. */
export interface Potential {
  /** U of each block, [chains, blocks]. */
  energy(x: Positions): tf.Tensor2D;
  /** Its gradient, of the shape of x. */
  gradient(x: Positions): Positions;
}

/** Inputs of an integrator's step besides its state. */
export interface Move {
  readonly potential: Potential;
  /** One of each of the integrator's `draws`. */
  readonly draws: State;
  /** eta. */
  readonly stepSize: number;
  /** Moves before this one, a float32 scalar. */
  readonly moves: tf.Scalar;
  /** Points whose energies the potential sums up. */
  readonly points: number;
}

/** A rule that moves positions: the state holds them as `x`, beside what else the rule carries. */
export interface Integrator {
  /** The file of the rule in methods/samplers, without `.ts`. */
  readonly rule: string;
  /** Gradients a step. */
  readonly gradients: number;
  /** Random numbers of one step for positions of `shape`. */
  draws(shape: readonly number[]): Readonly<Record<string, DrawSpec>>;
  /** Entries of the state besides x; none by default. */
  init?(x: Positions, potential: Potential): State;
  step(state: State, move: Move): State;
  /** Whether it scales each coordinate's step by a preconditioner, so that eta alone does not say how far it moves. */
  readonly preconditioned?: boolean;
  /** Its stationary distribution: that of Euler's rule, or the target itself; absent where theory does not say. */
  readonly stationary?: "euler" | "exact";
  /** As in `Sampler`. */
  readonly move?: Sampler["move"];
  readonly hasExactMove?: boolean;
  /** Whether its state counts the accepted proposals of each block, as `accepted` [chains * blocks]. */
  readonly countsAccepted?: boolean;
  /** Stationary variance times P on a Gaussian of precision P, for x = eta P and full gradients. */
  varianceRatio?(x: number): number;
}

/** Settings and gates of integrators of several gradients a step, where chains have to cross between modes. */
export function equalCost(gradients: number): Partial<Sampler> {
  const shorter = (count: number, thin: number) =>
    Math.max(1, Math.round(count / gradients / thin)) * thin;
  return {
    settings: ({ answer, length: { steps, burnIn, thin } }) =>
      answer.kind === "gaussian" ? {} : {
        burnIn: shorter(burnIn, thin),
        steps: shorter(burnIn, thin) + shorter(steps - burnIn, thin),
      },
    ungated: ({ answer }) =>
      answer.kind === "gaussian"
        ? null
        : `as many gradients as LD, so 1 / ${gradients} of the steps: too few between modes`,
  };
}

/** The potential of `energy` [chains, blocks]. */
export function potentialOf(energy: (x: Positions) => tf.Tensor2D): Potential {
  const gradient = tf.grad((x: tf.Tensor) => tf.sum(energy(x as Positions)));
  return { energy, gradient: (x) => gradient(x) as Positions };
}

/** Moves of Langevin dynamics: -eta grad U on average, with variance 2 eta. */
export const langevinMove: NonNullable<Sampler["move"]> = (_, gradients, stepSize) => ({
  mean: -stepSize * gradients[gradients.length - 1],
  variance: 2 * stepSize,
});

/** One standard normal draw `xi` of the shape of the positions. */
export function normalDraws(shape: readonly number[]): { readonly xi: DrawSpec } {
  return { xi: { shape, kind: "normal" } };
}
