import type { Target } from "../../harness/core/toy_types.ts";
import { amortized } from "./amortized.ts";
import { eulerMaruyama } from "./ld.ts";

const WHITENED =
  "features are whitened, G G' = I: any fixed features of full rank satisfy Theorem 1";

/** Amortized Langevin dynamics: all z by one last layer. */
export const ald = amortized(eulerMaruyama, {
  name: "ald",
  label: "ALD",
  source: "LAE algorithm 1, Theorem 1",
  deviations: [WHITENED],
  features: "whitened",
});

/** Amortized Langevin dynamics on minibatches of the points. */
export const sgald = amortized(eulerMaruyama, {
  name: "sgald",
  label: "SGALD",
  source: "LAE algorithm 2",
  deviations: [WHITENED, "constant step size, so that the bias is known"],
  features: "whitened",
  minibatch: true,
});

/** Step sizes of the paper. */
const PRINTED: Readonly<Record<string, number>> = { univariate: 1e-3 };

/** Amortized Langevin dynamics with the features, step sizes and lengths that the paper prints: it cannot converge. */
export const aldAsPrinted = amortized(eulerMaruyama, {
  name: "ald_as_printed",
  label: "ALD as printed",
  source: "LAE algorithm 1, section 6.1 and appendix F",
  deviations: ["weights and biases uniform as in PyTorch: the paper does not say how they start"],
  features: "printed",
  settings: ({ name }) => ({
    stepSize: PRINTED[name] ?? 4e-4,
    chains: 4,
    ...(name === "univariate"
      ? { steps: 20_000, burnIn: 1_000, thin: 10 }
      : { steps: 3_000, burnIn: 1_000, thin: 10 }),
  }),
  ungated: ({ name }: Target) =>
    name === "univariate"
      ? "eta lambda_max(K) P > 2 for four tanh layers on a scalar: unstable, and K has a rank of 8 for 100 points"
      : "the slowest mode of K needs some 20,000 steps at eta 4e-4: 3,000 cannot mix",
});
