/** What annealed importance sampling says about log p(x): nats, in the units of the model's images, [-1, 1]. */

/** A mean over images, and its standard error. */
export interface MeanEstimate {
  readonly mean: number;
  readonly standardError: number;
}

/** Options of the estimate; part of its identity. */
export interface AnnealedSettings {
  /** Test images, and as many simulated ones. */
  readonly images: number;
  /** T. */
  readonly temperatures: number;
  /** C, chains for each image. */
  readonly chains: number;
}

/** log Z of a learned prior exp(tilt(z)) N(z; 0, I) / Z. */
export interface Normaliser {
  /** A stochastic lower bound, from N(0, I). */
  readonly lower: MeanEstimate;
  /** A stochastic upper bound if the prior's long chains have mixed, otherwise an estimate. */
  readonly upper: MeanEstimate;
  readonly chains: number;
  readonly temperatures: number;
  readonly acceptance: number;
}

/** log p(x) of one model. */
export interface AnnealedLikelihood {
  /** Pixels of an image times channels. */
  readonly dimensions: number;
  /**
   * Stochastic lower bounds on log p(x) of test images, mean over images; of log Z p(x) if `normaliser` is there. The error is that
   * of the chains, not that of choosing images.
   */
  readonly test: MeanEstimate & {
    /** Standard error of the mean over images. */
    readonly imagesError: number;
    /** Largest error of one image: above about 0.5 it is no guide. */
    readonly largestError: number;
  };
  /** Bounds on the same quantity of simulated images, and upper minus lower, means over images. */
  readonly simulated: {
    readonly lower: MeanEstimate;
    readonly upper: MeanEstimate;
    readonly gap: MeanEstimate;
  };
  readonly normaliser: Normaliser | null;
  /** Largest curvature of -log p(x | z) that the temperatures and step sizes are made for. */
  readonly curvature: number;
  /** Mean over test chains and transitions. */
  readonly acceptance: number;
}

/** log p(x) of one run at some settings: a line of `likelihood.jsonl`. */
export interface AnnealedResult {
  readonly schema: 1;
  /** The run's id. */
  readonly id: string;
  readonly settings: AnnealedSettings;
  readonly likelihood: AnnealedLikelihood;
  readonly seconds: number;
  readonly device: string;
  readonly startedAt: string;
}
