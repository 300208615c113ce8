import { mirrorStep } from "../samplers/mirror.ts";
import { direct } from "./direct.ts";
import { type Integrator, normalDraws, type Positions } from "./integrator.ts";

/** Scale of the mirror map. */
export const MIRROR_SCALE = 4;

/** The mirror Langevin rule. */
export const mirror: Integrator = {
  rule: "mirror",
  gradients: 1,
  draws: normalDraws,
  step: ({ x }, { potential, draws: { xi }, stepSize }) => {
    const gradient = potential.gradient(x as Positions);
    return { x: mirrorStep(x, { gradient, xi, stepSize, scale: MIRROR_SCALE }) };
  },
  // Of x = s sinh(y / s) by Ito's formula, where y has the drift -grad U and the noise of phi''.
  move: (x, gradients, stepSize) => {
    const root = Math.sqrt(1 + (x / MIRROR_SCALE) ** 2);
    const gradient = gradients[gradients.length - 1];
    return {
      mean: stepSize * (x / MIRROR_SCALE ** 2 / root - root * gradient),
      variance: 2 * stepSize * root,
    };
  },
  // The ratio of Euler and Maruyama, which holds where the map is flat, |x| < s.
  varianceRatio: (x) => 1 / (1 - x / 2),
};

/** Mirror Langevin dynamics of each z. */
export const mirrorLd = direct(mirror, {
  name: "mirror",
  label: "Mirror LD",
  source: "Zhang et al. 2020; Karimi, Hsieh and Krause 2023, mirror Langevin",
  bias: { order: 1, closedForm: false },
  deviations: ["the mirror map is not given: hypentropy of scale 4 on each coordinate"],
});
