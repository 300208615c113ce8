import { median } from "../statistics/summary.ts";
import { symmetricEigenvalues } from "../linalg/symmetric_eigenvalues.ts";
import type { HostArray } from "../core/types.ts";
import type { GramSpectrum } from "../core/toy_report.ts";
import type { GaussianAnswer } from "../core/toy_types.ts";

/** Of the largest eigenvalue: below it a direction does not move in any run. */
const RANK_TOLERANCE = 1e-6;

/**
 * The spectrum of K = G G', the Gram matrix by which steps on a last layer move z, of features G [chains, points, d], each number the
 * median over chains. Euler's steps eta are stable for eta lambda_max(K) P_max < 2 and forget a Gaussian posterior in 1 / (eta
 * lambda_min(K) P_min) steps. LAE Theorem 1.
 */
export function gramSpectrumOf(
  { shape: [chains, points, width], data }: HostArray,
  { stepSize, answer }: { readonly stepSize: number; readonly answer: GaussianAnswer | undefined },
): GramSpectrum {
  const spectra = Array.from({ length: chains }, (_, chain) => {
    const row = (i: number) => data.subarray((chain * points + i) * width).subarray(0, width);
    const k = Float64Array.from({ length: points * points }, (_, at) => {
      const [a, b] = [row(Math.floor(at / points)), row(at % points)];
      let sum = 0;
      for (let j = 0; j < width; j++) sum += a[j] * b[j];
      return sum;
    });
    return symmetricEigenvalues(k, points);
  });
  const of = (read: (ascending: Float64Array) => number) => median(spectra.map(read));
  const [least, largest] = [of((s) => Math.max(0, s[0])), of((s) => s[points - 1])];
  const precisions = answer && extremePrecisions(answer);
  return {
    least,
    median: of((s) => median([...s])),
    largest,
    rank: of((s) => s.filter((v) => v > RANK_TOLERANCE * s[points - 1]).length),
    stability: precisions ? stepSize * largest * precisions[1] : null,
    slowest: precisions ? 1 / (stepSize * least * precisions[0]) : null,
  };
}

/** Least and largest eigenvalue of the precision. */
function extremePrecisions({ covariance }: GaussianAnswer): [number, number] {
  const variances = symmetricEigenvalues(Float64Array.from(covariance.flat()), covariance.length);
  return [1 / variances[variances.length - 1], 1 / variances[0]];
}
