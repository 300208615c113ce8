import type { GaussianTarget } from "../../harness/core/toy_types.ts";
import { gaussianLogDensity } from "./conjugate.ts";
import { fixedNormals } from "../../harness/core/noise.ts";

/** Observation variance sigma_x^2; the prior has mean 0 and variance 1. */
const OBSERVATION_VARIANCE = 0.01;
const precision = 1 + 1 / OBSERVATION_VARIANCE; // 101
const observations = fixedNormals("toy/univariate", { rows: 100, width: 2 })
  .map(([z, e]) => z + Math.sqrt(OBSERVATION_VARIANCE) * e);
const means = observations.map((x) => [x / (1 + OBSERVATION_VARIANCE)]);

/** Posteriors of a hundred scalar observations. Paper, appendix F.1, Fig. 3. */
export const univariateGaussian: GaussianTarget = {
  name: "univariate",
  label: "Univariate Gaussian",
  source:
    "Langevin Autoencoders, appendix F.1, Fig. 3: sigma_z^2 = 1, sigma_x^2 = 0.01, n = 100, batches of 10",
  deviations: [
    "minibatch chains use eta 3.2e-4, not 1e-3, because at 1e-3 batches of 10 double the stationary variance: 1 / (1 - eta P n / 2 m) = 2.02",
    "whitened features are random Fourier features, because four tanh layers on a scalar have a numerical rank of 8, not 100",
  ],
  points: 100,
  dim: 1,
  inputs: observations.map((x) => [x]),
  encoder: { depth: 4, width: 128, activation: "tanh" },
  fourierScale: 0.01,
  parameters: {},
  logDensity: (z) => gaussianLogDensity(z, { means, precision: [[precision]] }),
  answer: { kind: "gaussian", means, covariance: [[1 / precision]] },
  gradientScale: Math.sqrt(precision),
  stepSize: 1e-3,
  batchSize: 10,
  length: { chains: 4, steps: 9_000, burnIn: 1_000, thin: 10 },
};
