import type { TransportAnswer } from "../core/toy_types.ts";
import { mapRows, type Sample } from "../statistics/sample.ts";
import { gaussianTruth } from "./gaussian_truth.ts";
import { gaussianDistribution } from "./known_distribution.ts";
import type { Truth } from "./truth.ts";

/** The image of N(0, I) under a map: draws are taken back by its inverse, and compared with N(0, I). */
export function transportTruth(answer: TransportAnswer, dim: number): Truth {
  const identity = Array.from(
    { length: dim },
    (_, i) => Array.from({ length: dim }, (_, j) => +(i === j)),
  );
  const zeros = Array<number>(dim).fill(0);
  const normal = gaussianTruth({ kind: "gaussian", means: [zeros], covariance: identity });
  const whiten = (sample: Sample) => mapRows(sample, answer.whiten);
  return {
    ...normal,
    energy: answer.energy,
    stationary: (kernel) =>
      kernel === "exact"
        ? [{
          ...gaussianDistribution(zeros, { covariance: identity, ratios: zeros.map(() => 1) }),
          energy: answer.energy,
        }]
        : null,
    coordinates: (draws) => {
      const { data, dim } = draws;
      const white = whiten({ data, dim, count: data.length / dim });
      return { ...draws, data: Float32Array.from(white.data) };
    },
    draw: (point, options) => mapRows(normal.draw(point, options), answer.draw),
    // A fit of a Gaussian to z has no counterpart in these coordinates: `kl` is that of the draws' moments.
    score: (samples, { known } = {}) => normal.score(samples.map(whiten), { known }),
  };
}
