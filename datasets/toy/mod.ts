/** The table of toy targets. A new target is one file and one line here. @module */
import type { Target } from "../../harness/core/toy_types.ts";
import { banana } from "./banana.ts";
import { bivariateGaussian } from "./bivariate_gaussian.ts";
import { correlatedGaussian } from "./correlated_gaussian.ts";
import { doubleWell } from "./double_well.ts";
import { eightGaussians } from "./eight_gaussians.ts";
import { funnel } from "./funnel.ts";
import { neuralLikelihood } from "./neural_likelihood.ts";
import { ring } from "./ring.ts";
import { truncatedGaussian } from "./truncated_gaussian.ts";
import { univariateGaussian } from "./univariate_gaussian.ts";

/** Targets by name, in the order of reports. */
export const TARGETS: Readonly<Record<string, Target>> = {
  bivariate: bivariateGaussian,
  univariate: univariateGaussian,
  neural: neuralLikelihood,
  eight_gaussians: eightGaussians,
  banana,
  double_well: doubleWell,
  ring,
  truncated: truncatedGaussian,
  correlated_50: correlatedGaussian,
  funnel,
};
