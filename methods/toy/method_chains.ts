/**
 * The chains that the methods run by default: by the methods' own rules and from the methods' own defaults, so that whoever
 * breaks a rule or retunes a default changes what is certified here.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { repeat } from "../../harness/core/repeat.ts";
import type { MethodChain, Target } from "../../harness/core/toy_types.ts";
import type { Hyperparams, State } from "../../harness/core/types.ts";
import { abp } from "../abp.ts";
import { dlgm } from "../dlgm.ts";
import { lae } from "../lae.ts";
import { lae_neurips } from "../lae_neurips.ts";
import { lebm } from "../lebm.ts";
import { langevinChain, langevinStep } from "../samplers/langevin.ts";
import { metropolisStep, type Position } from "../samplers/metropolis.ts";
import { decayedStepSize, psgld } from "../samplers/psgld.ts";
import { potentialOf } from "./integrator.ts";
import { LAE_PSGLD } from "./lae.ts";

/** Name, label and target of a chain. */
type Described = Pick<MethodChain, "name" | "method" | "label" | "target">;

/** The displacement of Euler and Maruyama's chain of `steps` moves, an AR(1) process of coefficient 1 - eta P. */
function eulerDisplacement(steps: number, stepSize: number): MethodChain["displacement"] {
  return (distance, { precision }) => {
    const one = 1 - stepSize * precision;
    const all = one ** steps;
    return {
      mean: (all - 1) * distance,
      variance: 2 * stepSize * (1 - all * all) / (1 - one * one),
    };
  };
}

/** A chain of `langevinChain`, each z by itself. */
function langevinOf(
  described: Described,
  { steps, stepSize, hyper }: {
    readonly steps: number;
    readonly stepSize: number;
    readonly hyper: Hyperparams;
  },
): MethodChain {
  return {
    ...described,
    rule: "langevin",
    hyper,
    run: (start, { target, noise }) => {
      const energy = (z: tf.Tensor2D) =>
        tf.neg(tf.sum(target.logDensity(tf.reshape(z, start.shape), {}))) as tf.Scalar;
      const flat = tf.reshape(start, [-1, target.dim]) as tf.Tensor2D;
      const z = langevinChain(energy, flat, { steps, stepSize, noise });
      return { z: tf.reshape(z, start.shape) };
    },
    displacement: eulerDisplacement(steps, stepSize),
  };
}

/** Posterior chains of Algorithm 3, ABP, DLGM and LEBM. */
function posteriorOf(
  method: string,
  { posteriorSteps, posteriorStepSize }: Pick<
    typeof lebm.defaults,
    "posteriorSteps" | "posteriorStepSize"
  >,
): MethodChain {
  return langevinOf({
    name: `${method}_posterior`,
    method,
    label: `${method}, posterior`,
    target: "bivariate",
  }, {
    steps: posteriorSteps,
    stepSize: posteriorStepSize,
    hyper: { posteriorSteps, posteriorStepSize },
  });
}

/** Prior chains of LEBM, and those that make LAE's samples. */
function priorOf(
  method: string,
  { priorSteps, priorStepSize }: Pick<typeof lebm.defaults, "priorSteps" | "priorStepSize">,
): MethodChain {
  return langevinOf({
    name: `${method}_prior`,
    method,
    label: `${method}, prior`,
    target: "bivariate",
  }, {
    steps: priorSteps,
    stepSize: priorStepSize,
    hyper: { priorSteps, priorStepSize },
  });
}

/**
 * The chain of the NeurIPS version on the last layer, over the moves of one minibatch: all points of the target, with a feature for
 * each, so that Phi is Z. Its proposals are so short that all but some 1e-5 of them are accepted, and its displacement is Euler's.
 */
function neuripsPhi(): MethodChain {
  const { chainSteps, chainStepSize, metropolis } = lae_neurips.defaults;
  const steps = chainSteps + 1; // the first to warm up
  const stepSizeOf = ({ points }: Pick<Target, "points">) => chainStepSize / points;
  return {
    name: "lae_neurips_phi",
    method: lae_neurips.name,
    label: "lae_neurips, Phi",
    target: "bivariate",
    rule: metropolis ? "metropolis" : "langevin",
    hyper: { chainSteps, chainStepSize, metropolis },
    run: (start, { target, noise }) => {
      const potential = potentialOf((z) => tf.neg(target.logDensity(z, {})));
      const stepSize = stepSizeOf(target);
      const [chains] = start.shape;
      const evaluate = (w: tf.Tensor2D): Position => {
        const z = tf.reshape(w, start.shape) as tf.Tensor3D;
        return {
          w,
          energy: tf.sum(potential.energy(z), 1),
          gradient: tf.reshape(potential.gradient(z), w.shape) as tf.Tensor2D,
        };
      };
      const w = tf.reshape(start, [chains, -1]);
      const end = repeat(
        steps,
        { w, accepted: tf.zeros([chains]) } as State,
        (state, { xi, uniform }): State => {
          const current = evaluate(state.w as tf.Tensor2D);
          if (!metropolis) {
            const { gradient } = current;
            return { ...state, w: langevinStep(state.w, { gradient, xi, stepSize }) };
          }
          const { position, accepted } = metropolisStep(current, evaluate, {
            stepSize,
            xi: xi as tf.Tensor2D,
            uniform: uniform as tf.Tensor1D,
          });
          return { w: position.w, accepted: tf.add(state.accepted, accepted) };
        },
        {
          xi: noise.split("xi").normal([steps, ...w.shape]),
          uniform: noise.split("uniform").uniform([steps, chains]),
        } as State,
      );
      return {
        z: tf.reshape(end.w, start.shape),
        ...(metropolis && { acceptance: tf.div(end.accepted, steps) }),
      };
    },
    displacement: (distance, posterior) =>
      eulerDisplacement(steps, stepSizeOf(posterior))(distance, posterior),
    ...(metropolis && { proposalStepSize: stepSizeOf }),
  };
}

/** Moves of LAE's pSGLD on each z for the mean loss over the points. */
function psgldOf(
  described: Described,
  steps: number,
  displacement: MethodChain["displacement"],
): MethodChain {
  const { alpha, damping } = lae.defaults;
  return {
    ...described,
    rule: "psgld",
    hyper: LAE_PSGLD,
    run: (start, { target, noise }) => {
      const { gradient } = potentialOf((z) =>
        tf.div(tf.neg(target.logDensity(z, {})), target.points)
      );
      const state: State = { z: start, v: tf.zerosLike(start) };
      const end = repeat(steps, state, ({ z, v }, { xi, index }) => {
        const { params, v: next } = psgld<State>({ params: { z }, v: { z: v } }, {
          gradients: { z: gradient(z as tf.Tensor3D) },
          xi: { z: xi },
          stepSize: decayedStepSize(lae.defaults, index as tf.Scalar),
          count: target.points,
          alpha,
          damping,
          moves: index as tf.Scalar,
        });
        return { z: params.z, v: next.z };
      }, {
        xi: noise.split("xi").normal([steps, ...start.shape]),
        index: tf.range(0, steps),
      } as State);
      return { z: end.z as tf.Tensor3D };
    },
    displacement,
  };
}

/** The first move, whose G is 1 / (lambda + |g|) for the gradient g of the mean loss, whatever alpha is. */
function firstMove(): MethodChain {
  const { stepSize, damping } = lae.defaults;
  return psgldOf(
    { name: "lae_first_move", method: lae.name, label: "lae, first move", target: "univariate" },
    1,
    (distance, { precision, points }) => {
      const gradient = precision * distance / points;
      const preconditioner = 1 / (damping + Math.abs(gradient));
      return {
        mean: -stepSize * preconditioner * gradient,
        variance: 2 * stepSize / points * preconditioner,
      };
    },
  );
}

/** A random walk of weights without a gradient, whose G is 1 / lambda. */
function deadWeights(): MethodChain {
  const { stepSize, damping } = lae.defaults;
  const steps = 10;
  return psgldOf(
    {
      name: "lae_dead_weights",
      method: lae.name,
      label: "lae, weights without a gradient",
      target: "flat",
    },
    steps,
    (_, { points }) => ({ mean: 0, variance: steps * 2 * stepSize / points / damping }),
  );
}

/** The chains, in the order of the table of methods. */
export const METHOD_CHAINS: readonly MethodChain[] = [
  posteriorOf("abp", abp.defaults),
  posteriorOf("dlgm", dlgm.defaults),
  posteriorOf("lebm", lebm.defaults),
  priorOf("lebm", lebm.defaults),
  firstMove(),
  deadWeights(),
  posteriorOf("lae", lae.defaults),
  priorOf("lae", lae.defaults),
  neuripsPhi(),
];
