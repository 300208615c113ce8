/** The table of toy targets. A new target is one file and one line here. @module */
import type { Target } from "../../harness/core/toy_types.ts";
import { bivariateGaussian } from "./bivariate_gaussian.ts";
import { eightGaussians } from "./eight_gaussians.ts";
import { neuralLikelihood } from "./neural_likelihood.ts";
import { univariateGaussian } from "./univariate_gaussian.ts";

/** Targets by name, in the order of reports. */
export const TARGETS: Readonly<Record<string, Target>> = {
  bivariate: bivariateGaussian,
  univariate: univariateGaussian,
  neural: neuralLikelihood,
  eight_gaussians: eightGaussians,
};
