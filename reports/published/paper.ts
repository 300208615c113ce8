/**
 * The numbers of the Langevin-autoencoder paper (submission to ICLR 2022, revised text), as data.
 *
 * Not known of its FID: sample count, reference split, Inception port, hardware. So a number of ours beside
 * one of these is a comparison of claims, not of measurements.
 *
 * @module
 */

/** A published mean and standard deviation over seeds. */
export interface Published {
  readonly mean: number;
  readonly std: number;
}

/** A published score of a method on a data set. */
export interface PublishedScore extends Published {
  readonly method: string;
  readonly dataset: string;
  readonly metric: string;
}

const DATASETS = ["svhn", "cifar10", "celeba_hq_32", "celeba_hq_64"] as const;

/** Table 1, row by row in the order of DATASETS: mean and standard deviation of FID over 3 seeds. */
const TABLE_1: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  vae: [[47.19, 0.96], [106.0, 0.5], [102.6, 1.4], [174.9, 0.9]],
  vae_flow: [[46.69, 0.69], [105.5, 1.0], [101.2, 1.1], [174.5, 0.8]],
  abp: [[46.90, 1.07], [105.6, 0.2], [99.27, 2.42], [135.7, 2.0]],
  dlgm: [[46.86, 1.04], [102.3, 1.76], [73.64, 1.81], [139.9, 3.4]],
  lebm: [[38.79, 2.48], [97.02, 0.36], [32.59, 0.30], [53.31, 2.26]],
  lae: [[46.66, 1.33], [95.85, 1.06], [40.33, 1.33], [61.38, 1.20]],
};

/** Every FID of Table 1. */
export const PAPER_SCORES: readonly PublishedScore[] = Object.entries(TABLE_1).flatMap(
  ([method, row]) =>
    row.map(([mean, std], i) => ({ method, dataset: DATASETS[i], metric: "fid", mean, std })),
);

/** Seconds of a training epoch on CIFAR-10 (section 6.2; the hardware is not stated). */
export const PAPER_EPOCH_SECONDS: Readonly<Record<string, number>> = {
  lae: 34.12,
  lebm: 84.29,
  dlgm: 60.66,
};

/** A ratio of seconds per epoch that the paper claims. */
export interface PublishedRatio {
  readonly numerator: string;
  readonly denominator: string;
  readonly paper: number;
}

/** The paper's claims of speed: LEBM 2.47 and DLGM 1.78 times LAE, on CIFAR-10. */
export const PAPER_RATIOS: readonly PublishedRatio[] = [
  { numerator: "lebm", denominator: "lae", paper: 2.47 },
  { numerator: "dlgm", denominator: "lae", paper: 1.78 },
];
