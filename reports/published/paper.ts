/**
 * The numbers of the Langevin-autoencoder paper (submission to ICLR 2022, revised text), as data.
 *
 * The text gives the networks, the batch size and the latent dimensions. It does not give the number of epochs, the
 * protocol of its FID (sample count, reference images, Inception network) or its hardware. Its baselines are "based on the
 * official public code" of LEBM (appendix F.3), so that code's values are assumed where they matter.
 *
 * @module
 */
import {
  assumedFrom,
  factsFrom,
  type Protocol,
  type PublishedRatio,
  type PublishedScore,
  type PublishedTime,
  readPrinted,
  unstated,
} from "./protocol.ts";

const SOURCE = "the paper";
const LEBM_CODE = "LEBM's code";

const DATASETS = ["svhn", "cifar10", "celeba_hq_32", "celeba_hq_64"] as const;
type PaperDataset = typeof DATASETS[number];

/** Table 1, row by row in the order of DATASETS: mean and standard deviation of FID over 3 seeds, as printed. */
const TABLE_1: Readonly<Record<string, readonly string[]>> = {
  vae: ["47.19 ± 0.96", "106.0 ± 0.5", "102.6 ± 1.4", "174.9 ± 0.9"],
  vae_flow: ["46.69 ± 0.69", "105.5 ± 1.0", "101.2 ± 1.1", "174.5 ± 0.8"],
  abp: ["46.90 ± 1.07", "105.6 ± 0.2", "99.27 ± 2.42", "135.7 ± 2.0"],
  dlgm: ["46.86 ± 1.04", "102.3 ± 1.76", "73.64 ± 1.81", "139.9 ± 3.4"],
  lebm: ["38.79 ± 2.48", "97.02 ± 0.36", "32.59 ± 0.30", "53.31 ± 2.26"],
  lae: ["46.66 ± 1.33", "95.85 ± 1.06", "40.33 ± 1.33", "61.38 ± 1.20"],
};

/** Lengths of the Langevin chains that methods train with: K1 (posterior) and K0 (prior). */
const TRAINING_CHAINS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  abp: { posteriorSteps: 20 },
  dlgm: { posteriorSteps: 20 },
  lebm: { posteriorSteps: 20, priorSteps: 60 },
};

/** The training conditions of Table 1 and of the times. */
function training(method: string, dataset: PaperDataset): Protocol {
  return {
    ...factsFrom("Table 2", { nets: "table2", width: 1 }),
    ...factsFrom("appendix F.3", { batchSize: 100, latentDim: dataset === "svhn" ? 64 : 128 }),
    ...factsFrom("eq. 9", { likelihood: "gaussian" }),
    ...factsFrom(SOURCE, { trainCount: "all" }), // it mentions no subset
    ...assumedFrom(LEBM_CODE, TRAINING_CHAINS[method] ?? {}),
    ...unstated("featureDim"), // "n" of Table 2 is not defined
  };
}

/** Every FID of Table 1. */
export const PAPER_SCORES: readonly PublishedScore[] = Object.entries(TABLE_1).flatMap(
  ([method, row]) =>
    row.map((printed, i) => ({
      method,
      dataset: DATASETS[i],
      metric: "fid",
      source: SOURCE,
      ...readPrinted(printed),
      protocol: {
        ...training(method, DATASETS[i]),
        ...assumedFrom(LEBM_CODE, { sampleCount: 50_000 }),
        ...unstated("epochs", "reference images", "Inception weights", "resizing mode"),
        ...DATASETS[i].startsWith("celeba") && unstated("preprocessing", "split of the images"),
      },
    })),
);

/** Seconds of a training epoch on CIFAR-10 (section 6.2), without the hardware they were measured on. */
export const PAPER_TIMES: readonly PublishedTime[] = Object.entries({
  dlgm: "60.66",
  lebm: "84.29",
  lae: "34.12",
}).map(([method, printed]) => ({
  method,
  dataset: "cifar10",
  seconds: Number(printed),
  printed,
  source: SOURCE,
  protocol: { ...training(method, "cifar10"), ...unstated("hardware") },
}));

/** The paper's claims about speed: LEBM and DLGM against LAE, on CIFAR-10 (section 6.2). */
export const PAPER_RATIOS: readonly PublishedRatio[] = [
  { numerator: "lebm", printed: "2.47" },
  { numerator: "dlgm", printed: "1.78" },
].map(({ numerator, printed }) => ({
  numerator,
  denominator: "lae",
  dataset: "cifar10",
  ratio: Number(printed),
  printed,
  source: SOURCE,
  // LAE trains without such chains, so the chain lengths are those of the numerator.
  protocol: {
    ...factsFrom("section 6.2", { dataset: "cifar10" }),
    ...training("lae", "cifar10"),
    ...unstated("hardware"),
  },
  chains: assumedFrom(LEBM_CODE, TRAINING_CHAINS[numerator]),
}));
