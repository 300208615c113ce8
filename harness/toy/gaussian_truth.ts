import { fillNoise, foldIn, keyOf } from "../core/noise.ts";
import { gaussianError, momentsOf } from "../statistics/gaussian_error.ts";
import { cholesky, solveLower } from "../linalg/cholesky.ts";
import { squaredMmdDistribution, squaredMmdToNormal } from "../statistics/mmd.ts";
import { type Sample, thinned } from "../statistics/sample.ts";
import { slicedWasserstein } from "../statistics/sliced_wasserstein.ts";
import { mean } from "../statistics/summary.ts";
import type { GaussianAnswer } from "../core/toy_types.ts";
import { fitOf, SLICED_COUNT, type Truth } from "./truth.ts";

/** Draws that MMD looks at: it costs n^2. */
const MMD_COUNT = 1200;
/**
 * Bandwidth of the kernel on whitened draws. The squared distance of two draws of N(0, I) is 2 dim on average: a bandwidth that
 * does not grow with it makes every kernel value nearly 0 in many dimensions, and the bound a rounding error.
 */
const mmdBandwidth = (dim: number): number => Math.sqrt(dim);

/** Posteriors N(means[i], covariance); samples of all points are whitened and pooled for the distances. */
export function gaussianTruth({ means, covariance }: GaussianAnswer): Truth {
  const factor = cholesky(covariance);
  const dim = covariance.length;
  const reference = normals("reference", SLICED_COUNT, dim);
  /** Draws of each posterior that are pooled. */
  const share = (posteriors: number) => Math.ceil(SLICED_COUNT / posteriors);
  const whiten = (samples: readonly Sample[]): Sample => {
    const each = share(samples.length);
    const rows = samples.flatMap((sample, point) => {
      const { data, count } = thinned(sample, each);
      return Array.from(
        { length: count },
        (_, n) => solveLower(factor, means[point].map((m, k) => data[n * dim + k] - m)),
      );
    });
    return { count: rows.length, dim, data: Float64Array.from(rows.flat()) };
  };
  return {
    count: means.length,
    energy: dim / 2, // the density of a Gaussian target is 1 at its top
    stationary: () => null,
    grids: [],
    coordinates: (draws) => draws,
    scoreDistributions: (sizes, ratios) => {
      const pooled = sizes.reduce((sum, size) => sum + Math.min(size, share(sizes.length)), 0);
      return {
        mmd2: squaredMmdDistribution({
          count: Math.min(pooled, MMD_COUNT),
          variances: ratios,
          bandwidth: mmdBandwidth(dim),
        }),
      };
    },
    draw: (point, { count, seed }) => {
      const { data } = normals(seed, count, dim);
      const out = new Float64Array(count * dim);
      for (let n = 0; n < count; n++) {
        for (let i = 0; i < dim; i++) {
          out[n * dim + i] = means[point][i];
          for (let k = 0; k <= i; k++) out[n * dim + i] += factor[i][k] * data[n * dim + k];
        }
      }
      return { count, dim, data: out };
    },
    score: (samples, { fits, known = {} } = {}) => {
      const each = samples.map((sample, i) => {
        const truth = { mean: means[i], covariance };
        const error = gaussianError(momentsOf(sample), truth);
        return {
          mean_error: error.mean,
          covariance_error: error.covariance,
          kl: fits ? gaussianError(fitOf(fits, i), truth).kl : error.kl,
        };
      });
      const pooled = whiten(samples);
      return {
        each,
        all: {
          mean_error: rms(each.map((e) => e.mean_error)),
          covariance_error: rms(each.map((e) => e.covariance_error)),
          kl: mean(each.map((e) => e.kl)),
          sliced_w2: slicedWasserstein(pooled, reference),
          ...!("mmd2" in known) && {
            mmd2: squaredMmdToNormal(thinned(pooled, MMD_COUNT), mmdBandwidth(dim)),
          },
        },
      };
    },
  };
}

/** Standard normal draws of the stream `seed`. */
function normals(seed: string, count: number, dim: number): Sample {
  const data = new Float32Array(count * dim);
  fillNoise(data, {
    key: foldIn(keyOf(0), `truth/${seed}`),
    counters: Int32Array.of(0),
    width: count * dim,
    kind: "normal",
  });
  return { count, dim, data };
}

const rms = (values: readonly number[]): number => Math.sqrt(mean(values.map((v) => v * v)));
