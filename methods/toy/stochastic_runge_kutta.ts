import { rungeKuttaStep } from "../samplers/stochastic_runge_kutta.ts";
import { direct } from "./direct.ts";
import { equalCost, type Integrator, langevinMove, type Positions } from "./integrator.ts";

/** Stochastic Runge-Kutta of strong order 1.5. */
export const stochasticRungeKutta: Integrator = {
  rule: "stochastic_runge_kutta",
  gradients: 3,
  draws: (shape) => ({ xi: { shape, kind: "normal" }, other: { shape, kind: "normal" } }),
  step: ({ x }, { potential: { gradient }, draws: { xi, other }, stepSize }) => ({
    x: rungeKuttaStep(x as Positions, { gradient, xi, other, stepSize }),
  }),
  move: langevinMove,
  varianceRatio: (x) => (1 - x + x * x / 3) / (1 - x + x * x / 2 - x ** 3 / 8),
};

/** Langevin dynamics of each z by stochastic Runge-Kutta. */
export const rungeKuttaLd = direct(stochasticRungeKutta, {
  ...equalCost(3),
  name: "runge_kutta",
  label: "Runge-Kutta LD",
  source: "Li et al. 2019; Karimi, Hsieh and Krause 2023",
  bias: { order: 2, closedForm: true },
  deviations: [],
});
