import { proximalStep } from "../samplers/proximal.ts";
import { direct } from "./direct.ts";
import {
  equalCost,
  type Integrator,
  langevinMove,
  normalDraws,
  type Positions,
} from "./integrator.ts";

/** Gradients of the inner solver: the error falls below float32's on quadratics of two curvatures with eta P < 1. */
const INNER_STEPS = 6;

/** The proximal (implicit) rule. */
export const proximal: Integrator = {
  rule: "proximal",
  gradients: INNER_STEPS,
  draws: normalDraws,
  step: ({ x }, { potential: { gradient }, draws: { xi }, stepSize }) => ({
    x: proximalStep(x as Positions, { gradient, xi, stepSize, innerSteps: INNER_STEPS }),
  }),
  move: langevinMove,
  varianceRatio: (x) => 1 / (1 + x / 2),
};

/** Proximal Langevin dynamics of each z. */
export const proximalLd = direct(proximal, {
  ...equalCost(INNER_STEPS),
  name: "proximal",
  label: "Proximal LD",
  source: "Karimi, Hsieh and Krause 2023, proximal Langevin algorithm",
  bias: { order: 1, closedForm: true },
  deviations: ["the implicit step is solved to float32's accuracy by six gradients"],
});
