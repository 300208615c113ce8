import * as tf from "@tensorflow/tfjs";
import type { Noise } from "../../harness/core/types.ts";
import { langevinChain, langevinStep } from "../samplers/langevin.ts";
import { direct } from "./direct.ts";
import { type Integrator, langevinMove, normalDraws, type Positions } from "./integrator.ts";

/** The rule of Euler and Maruyama, the unadjusted Langevin algorithm. LAE eq. 3. */
export const eulerMaruyama: Integrator = {
  rule: "langevin",
  gradients: 1,
  draws: normalDraws,
  step: ({ x }, { potential, draws: { xi }, stepSize }) => {
    const gradient = potential.gradient(x as Positions);
    return { x: langevinStep(x, { gradient, xi, stepSize }) };
  },
  stationary: "euler",
  move: langevinMove,
  hasExactMove: true,
  varianceRatio: (x) => 1 / (1 - x / 2),
};

/** Langevin dynamics of each z. */
export const ld = direct(eulerMaruyama, {
  name: "ld",
  label: "LD",
  source: "LAE eq. 3",
  bias: { order: 1, closedForm: true },
  deviations: [],
});

/** The same with a step size in a tensor, as of chains whose step size changes on the way. */
export const ldOfTensor = direct({
  ...eulerMaruyama,
  step: ({ x }, { potential, draws: { xi }, stepSize }) => {
    const gradient = potential.gradient(x as Positions);
    return { x: langevinStep(x, { gradient, xi, stepSize: tf.scalar(stepSize) }) };
  },
}, {
  name: "ld_of_tensor",
  label: "LD, step size in a tensor",
  source: "LAE eq. 3",
  deviations: [],
});

/** The same by the chains that methods run, of one step each. */
export const ldChain = direct({
  ...eulerMaruyama,
  step: ({ x }, { potential, draws: { xi }, stepSize }) => {
    const [chains, points, dim] = x.shape;
    const energy = (z: tf.Tensor2D) =>
      tf.sum(potential.energy(tf.reshape(z, [chains, points ?? 1, dim ?? 1]))) as tf.Scalar;
    const flat = (t: tf.Tensor) => tf.reshape(t, [-1, dim ?? 1]) as tf.Tensor2D;
    const end = langevinChain(energy, flat(x), { steps: 1, stepSize, noise: given(flat(xi)) });
    return { x: tf.reshape(end, x.shape) };
  },
}, {
  name: "ld_chain",
  label: "LD by chains of one step",
  source: "LAE eq. 3",
  deviations: [],
});

/** Normal draws of one step that are there already, for what draws its own. */
function given(xi: tf.Tensor2D): Noise {
  const refuse = () => {
    throw new RangeError("Only the normal draws of one step are given");
  };
  return {
    split: () => given(xi),
    normal: () => tf.expandDims(xi, 0),
    uniform: refuse,
    normalOfRows: refuse,
  };
}

/** Langevin dynamics of each z, on minibatches of the points. */
export const sgld = direct(eulerMaruyama, {
  name: "sgld",
  label: "SGLD",
  source: "Welling and Teh 2011; LAE section 2",
  deviations: ["constant step size, so that the bias is known"],
  minibatch: true,
});
