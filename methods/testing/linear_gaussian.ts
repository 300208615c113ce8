/**
 * The linear-Gaussian model x = A z + b + sigma e, z ~ N(0, I), in float64, and data on which its maximum-likelihood
 * solution, probabilistic PCA (Tipping and Bishop 1999), is known exactly: the oracle of `nets=linear`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createNoise, keyOf } from "../../harness/core/noise.ts";
import type { HostArray, HostArrays, Matrix } from "../../harness/core/types.ts";
import { dot, orthonormalise } from "../../harness/linalg/matrix.ts";

/** Data of which everything is known. */
export interface SpectralData {
  /** Images in [-1, 1] and beyond, [count][dimension]. */
  readonly rows: Matrix;
  readonly mean: readonly number[];
  /** Eigenvectors of the sample covariance, by falling eigenvalue. */
  readonly axes: Matrix;
}

/**
 * `count` rows whose sample covariance (over count) has exactly these `eigenvalues`, at most count - 1 of them not zero,
 * about a mean of length `meanLength` along the last axis.
 */
export function spectralData(
  { count, eigenvalues, meanLength, seed }: {
    count: number;
    eigenvalues: readonly number[];
    meanLength: number;
    seed: number;
  },
): SpectralData {
  const dimension = eigenvalues.length;
  const modes = eigenvalues.filter((l) => l > 0).length;
  const noise = createNoise(keyOf(seed), tf.scalar(0, "int32"));
  const normal = (name: string, shape: readonly number[]) =>
    noise.split(name).normal<tf.Tensor2D>(shape).arraySync();
  const axes = orthonormalise(normal("axes", [dimension, dimension]));
  // Scores orthogonal to the constant, so that the mean is exact too.
  const [, ...scores] = orthonormalise([Array(count).fill(1), ...normal("scores", [modes, count])]);
  const mean = axes[dimension - 1].map((v) => meanLength * v);
  const rows = Array.from(
    { length: count },
    (_, r) =>
      mean.map((m, i) =>
        scores.reduce((sum, u, k) => sum + Math.sqrt(eigenvalues[k] * count) * u[r] * axes[k][i], m)
      ),
  );
  return { rows, mean, axes };
}

/** `rows` in [-1, 1] as images of one row of pixels, in [0, 1]. */
export function asImages(rows: Matrix): HostArray {
  const data = Float32Array.from(rows.flat(), (x) => (x + 1) / 2);
  return { shape: [rows.length, 1, rows[0].length, 1], dtype: "float32", data };
}

/** A linear decoder read from a state: columns of A, b, sigma^2. */
export interface LinearDecoder {
  readonly columns: Matrix;
  readonly offset: readonly number[];
  readonly variance: number;
}

/** The decoder in a state of `nets=linear`. */
export function linearDecoder(state: HostArrays): LinearDecoder {
  const weight = state["decoder/0/weight"];
  const [latentDim, dimension] = weight.shape;
  return {
    columns: Array.from(
      { length: latentDim },
      (_, k) => [...weight.data.subarray(k * dimension, (k + 1) * dimension)],
    ),
    offset: [...state["decoder/0/bias"].data],
    variance: Math.exp(2 * state.logSigma.data[0]),
  };
}

/** Mean over `rows` of -log N(x; b, A A' + sigma^2 I) in nats, for two latents: the evidence. */
export function negLogEvidence(rows: Matrix, { columns, offset, variance }: LinearDecoder): number {
  const [a, c] = columns;
  // Woodbury with M = sigma^2 I + A'A, 2 by 2.
  const [p, q, r] = [dot(a, a) + variance, dot(a, c), dot(c, c) + variance];
  const det = p * r - q * q;
  const dimension = offset.length;
  const logDet = (dimension - 2) * Math.log(variance) + Math.log(det);
  const total = rows.reduce((sum, row) => {
    const x = row.map((v, i) => v - offset[i]);
    const [s, t] = [dot(a, x), dot(c, x)];
    const explained = (r * s * s - 2 * q * s * t + p * t * t) / det;
    return sum +
      0.5 * ((dot(x, x) - explained) / variance + logDet + dimension * Math.log(2 * Math.PI));
  }, 0);
  return total / rows.length;
}

/** The largest principal angle between the spans of two pairs of vectors, degrees. */
export function largestAngle(first: Matrix, second: Matrix): number {
  const [u, v] = [orthonormalise(first), orthonormalise(second)];
  // Cosines are the singular values of the 2 by 2 matrix of inner products.
  const [[a, b], [c, d]] = u.map((x) => v.map((y) => dot(x, y)));
  const [t, det] = [a * a + b * b + c * c + d * d, a * d - b * c];
  const least = Math.sqrt(Math.max(0, (t - Math.sqrt(Math.max(0, t * t - 4 * det * det))) / 2));
  return Math.acos(Math.min(1, least)) * 180 / Math.PI;
}

/**
 * sigma^2 at which learning with Langevin chains of step size eta comes to rest. A chain of mobility kappa inflates the
 * posterior variance 1 / P along a principal axis by 1 / (1 - eta kappa P / 2), beta on average over the `mobilities`: 1
 * for a chain of its own, for amortized chains the eigenvalues of G G', G the features of all rows. The fixed point of
 * the decoder then has P beta = lambda / sigma^2, and that of the noise (D - sum beta) sigma^2 = sum of the discarded
 * eigenvalues. Chains that have only a `share` of the posterior's variance, on average over rows, lower beta by it. As eta -> 0
 * and with all of the variance this is probabilistic PCA: P = lambda / sigma^2, and sigma^2 their mean.
 */
export function chainVariance(
  { kept, discarded, stepSize, mobilities = [1], share = 1 }: {
    kept: readonly number[];
    discarded: readonly number[];
    stepSize: number;
    mobilities?: readonly number[];
    share?: number;
  },
): number {
  const rest = discarded.reduce((a, b) => a + b, 0);
  const inflation = (precision: number) =>
    share * mobilities.reduce((sum, k) => sum + 1 / (1 - stepSize * k * precision / 2), 0) /
    mobilities.length;
  const precisions = kept.map(() => 1);
  let variance = rest / discarded.length;
  for (let i = 0; i < 500; i++) {
    kept.forEach((l, j) => precisions[j] = l / variance / inflation(precisions[j]));
    const sum = precisions.reduce((total, p) => total + inflation(p), 0);
    variance = rest / (discarded.length + kept.length - sum);
  }
  return variance;
}
