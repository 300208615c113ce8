import { direct } from "./direct.ts";
import { eulerMaruyama } from "./euler_maruyama.ts";

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
