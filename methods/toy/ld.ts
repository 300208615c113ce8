import { langevinStep } from "../samplers/langevin.ts";
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

/** Langevin dynamics of each z, on minibatches of the points. */
export const sgld = direct(eulerMaruyama, {
  name: "sgld",
  label: "SGLD",
  source: "Welling and Teh 2011; LAE section 2",
  deviations: ["constant step size, so that the bias is known"],
  minibatch: true,
});
