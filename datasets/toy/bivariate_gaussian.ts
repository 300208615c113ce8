import type { GaussianTarget } from "../../harness/core/toy_types.ts";
import type { Matrix } from "../../harness/core/types.ts";
import { gaussianLogDensity } from "./conjugate.ts";
import { inverse2x2 } from "../../harness/linalg/matrix.ts";
import { fixedNormals } from "../../harness/core/noise.ts";

/** Sigma_x, corrected (see `deviations`). */
const OBSERVATION: Matrix = [[0.7, 0.6], [0.6, 0.8]];

/** Observations x = z + e with z ~ N(0, I) and e ~ N(0, Sigma_x), [3][2]. */
const observations = observe();
const observationPrecision = inverse2x2(OBSERVATION);
/** Posterior precision I + Sigma_x^-1, with eigenvalues 1.7396 and 7.7604. */
const precision = observationPrecision.map((row, i) => row.map((v, j) => v + (i === j ? 1 : 0)));
const covariance = inverse2x2(precision); // [[1/3, 2/9], [2/9, 10/27]]
/** Posterior means S Sigma_x^-1 x, where S is the posterior covariance. */
const means = observations.map((x) => multiply(covariance, multiply(observationPrecision, x)));

/** Posteriors of a Gaussian mean with a Gaussian prior, given one of three observations. Paper, section 6.1, Fig. 2A. */
export const bivariateGaussian: GaussianTarget = {
  name: "bivariate",
  label: "Bivariate Gaussian",
  source:
    "Langevin Autoencoders, section 6.1, Fig. 2A: p(z) = N(0, I), p(x|z) = N(z, Sigma_x), n = 3",
  deviations: [
    "Sigma_x is printed as [[0.7, 0.6], [0.7, 0.8]], which is not symmetric: both off-diagonal entries are 0.6 here",
    "eta is 0.02, not 4e-4, and features are whitened: the printed settings do not mix in 3,000 steps",
  ],
  points: 3,
  dim: 2,
  inputs: observations,
  encoder: { depth: 3, width: 128, activation: "relu" },
  parameters: {},
  logDensity: (z) => gaussianLogDensity(z, { means, precision }),
  answer: { kind: "gaussian", means, covariance },
  gradientScale: Math.sqrt(4.75), // square root of the mean diagonal of the precision
  stepSize: 0.02,
  batchSize: 1,
  length: { chains: 32, steps: 5_000, burnIn: 500, thin: 5 },
};

function observe(): number[][] {
  // Cholesky factor of Sigma_x.
  const l11 = Math.sqrt(OBSERVATION[0][0]);
  const l21 = OBSERVATION[1][0] / l11;
  const l22 = Math.sqrt(OBSERVATION[1][1] - l21 * l21);
  return fixedNormals("toy/bivariate", { rows: 3, width: 4 }).map(([z1, z2, e1, e2]) => [
    z1 + l11 * e1,
    z2 + l21 * e1 + l22 * e2,
  ]);
}

function multiply(a: Matrix, x: readonly number[]): number[] {
  return a.map((row) => row.reduce((sum, v, i) => sum + v * x[i], 0));
}
