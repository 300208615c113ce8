import type * as tf from "@tensorflow/tfjs";
import { langevinStep } from "../samplers/langevin.ts";
import { type Integrator, normalDraws, type Positions } from "./integrator.ts";

/** Euler and Maruyama's rule, x - eta grad U(x) + sqrt(2 eta) xi: the unadjusted Langevin algorithm. LAE eq. 3. */
export const eulerMaruyama: Integrator = {
  gradients: 1,
  draws: normalDraws,
  step: ({ x }, { potential, draws, stepSize }) => ({
    x: langevinStep(x as tf.Tensor3D, {
      gradient: potential.gradient(x as Positions),
      xi: draws.xi,
      stepSize,
    }),
  }),
  varianceRatio: (x) => 1 / (1 - x / 2),
};
