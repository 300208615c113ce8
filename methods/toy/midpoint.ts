import type * as tf from "@tensorflow/tfjs";
import { midpointStep } from "../samplers/midpoint.ts";
import { direct } from "./direct.ts";
import {
  equalCost,
  type Integrator,
  langevinMove,
  type Positions,
  type Potential,
} from "./integrator.ts";

/** Which of the mid-point rules. */
interface MidpointOptions {
  readonly noise: "coupled" | "independent";
  /** Whether the gradient at the last mid-point, which is carried along, stands for that at x. */
  readonly optimistic?: boolean;
}

/** The randomized mid-point rule. */
export function randomizedMidpoint({ noise, optimistic = false }: MidpointOptions): Integrator {
  return {
    rule: "midpoint",
    gradients: optimistic ? 1 : 2,
    draws: (shape) => ({
      alpha: { shape: [...shape.slice(0, 2), 1], kind: "uniform" },
      early: { shape, kind: "normal" },
      late: { shape, kind: "normal" },
    }),
    ...(optimistic && {
      init: (x: Positions, potential: Potential) => ({ slope: potential.gradient(x) as tf.Tensor }),
    }),
    step: ({ x, slope }, { potential, draws: { alpha, early, late }, stepSize }) => {
      const next = midpointStep(x as Positions, {
        gradient: potential.gradient,
        ...(optimistic && { slope: slope as Positions }),
        alpha,
        early,
        late,
        noise,
        stepSize,
      });
      return { x: next.x, ...(optimistic && { slope: next.slope }) };
    },
    move: langevinMove,
    varianceRatio: optimistic
      ? optimisticVariance
      : noise === "coupled"
      ? (x) => (1 - x + x * x / 2) / (1 - x + x * x / 2 - x ** 3 / 6)
      : (x) => (1 + x * x / 2) / (1 - x + x * x / 2 - x ** 3 / 6),
  };
}

/**
 * Stationary second moments of the optimistic rule with coupled noise, at precision 1 and step size g. With a = E x^2, b =
 * E x m of the last mid-point m, c = E m^2, and averages over alpha (1/2, 1/3) and xi xi' (sqrt(alpha)):
 *
 *     c = a - g b + g^2 c / 3 + g,   b = a - g b / 2 - g c + g,   a = 1 - g + g (b + c) / 2,
 *
 * and without a: c (1 - g / 2 - g^2 / 3) + b g / 2 = 1,   b + c g / 2 = 1.
 */
function optimisticVariance(g: number): number {
  const [p, q] = [1 - g / 2 - g * g / 3, g / 2];
  const c = (1 - q) / (p - q * q);
  const b = 1 - q * c;
  return 1 - g + q * (b + c);
}

/** Randomized mid-point on one Brownian path. */
export const midpointLd = direct(randomizedMidpoint({ noise: "coupled" }), {
  ...equalCost(2),
  name: "midpoint",
  label: "Mid-point LD",
  source: "Shen and Lee 2019; Karimi, Hsieh and Krause 2023, randomized mid-point",
  bias: { order: 3, closedForm: true },
  deviations: [],
});

/** Randomized mid-point with independent noise: more biased than Euler and Maruyama's rule. */
export const independentMidpointLd = direct(randomizedMidpoint({ noise: "independent" }), {
  ...equalCost(2),
  name: "midpoint_independent",
  label: "Mid-point LD, independent noise",
  source: "Karimi, Hsieh and Krause 2023, read with independent draws",
  bias: { order: 1, closedForm: true },
  deviations: [],
});

/** Optimistic randomized mid-point: one gradient a step. */
export const optimisticMidpointLd = direct(
  randomizedMidpoint({ noise: "coupled", optimistic: true }),
  {
    name: "midpoint_optimistic",
    label: "Optimistic mid-point LD",
    source: "Karimi, Hsieh and Krause 2023, optimistic randomized mid-point",
    bias: { order: 2, closedForm: true },
    deviations: [],
  },
);
