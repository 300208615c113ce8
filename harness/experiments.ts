import type { Experiment } from "./types.ts";

/** An experiment that has a name of its own on the command line. */
export interface Preset extends Omit<Experiment, "name" | "methods" | "threads"> {
  /** What it is for, and how long it takes. */
  readonly about: string;
}

/**
 * The presets, each for every method of the table. All numbers that decide how long they take are here.
 *
 * `width` scales the channels of the paper's nets; Langevin steps are cut where a preset must be quick.
 */
export const PRESETS: Readonly<Record<string, Preset>> = {
  smoke: {
    about:
      "does everything work: all methods, one seed, few images, small nets; under 90 s on 2 cores",
    datasets: ["fashion_4k"],
    seeds: [0],
    epochs: 3,
    batchSize: 50,
    trainCount: 1000,
    sampleCount: 500,
    metrics: ["fd_fashion"],
    scoreUntrained: true,
    device: "cpu",
    hyper: { "*": { width: 0.25 } },
  },
  quick: {
    about:
      "a table that means something: all methods, three seeds, small nets; at most 10 min on 2 cores",
    datasets: ["fashion_4k"],
    seeds: [0, 1, 2],
    epochs: 5,
    batchSize: 100,
    trainCount: null,
    sampleCount: 1000,
    metrics: ["fd_fashion"],
    scoreUntrained: true,
    device: "cpu",
    hyper: { "*": { width: 0.25 } },
  },
  table1: {
    about: "the paper's Table 1: SVHN, CIFAR-10, CelebA-HQ 32 and 64; days on a CPU",
    datasets: ["svhn", "cifar10", "celeba_hq_32", "celeba_hq_64"],
    seeds: [0, 1, 2],
    // Not given in the paper; proposed in the notes on its open questions: 50 to 200.
    epochs: 50,
    batchSize: 100, // appendix F.3
    trainCount: null,
    // Not given in the paper; the LEBM code's protocol, from which its baselines come.
    sampleCount: 50_000,
    metrics: ["fid"],
    scoreUntrained: false,
    device: "cpu",
    hyper: {},
  },
};

/** The preset of `deno task bench` without words. */
export const DEFAULT_PRESET = "quick";
