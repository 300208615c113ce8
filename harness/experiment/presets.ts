import type { Experiment } from "../core/types.ts";

/** An experiment that has a name of its own on the command line. */
export interface Preset extends Omit<Experiment, "name" | "methods" | "threads"> {
  /** All of the table if absent. */
  readonly methods?: readonly string[];
  /** What it is for, and how long it takes. */
  readonly about: string;
}

/**
 * Small nets and large steps, so that a few hundred of them show learning: `width` scales the channels of
 * the paper's nets; a pixel scale of 1 lets the prior count from the start; Langevin chains are cut short.
 */
const small = (
  { width, learningRate, sgdLearningRate }: {
    readonly width: number;
    readonly learningRate: number;
    readonly sgdLearningRate: number;
  },
): Experiment["hyper"] => ({
  "*": {
    width,
    learningRate,
    featureDim: 2048, // times width: more features than latents, or LAE's last layers cannot move all of them
    latentDim: 32,
    sigma: 1,
    posteriorSteps: 5,
    posteriorStepSize: 0.05,
    priorSteps: 20,
  },
  lebm: { energyLearningRate: 1e-3 },
  lae_neurips: { sgdLearningRate },
});

/**
 * LAE and its baselines as released with the NeurIPS version: equal perceptrons, discretized logistic, plain SGD, tau = 0 at
 * the start, 8 latents. What each data set had is not known beyond the code's defaults.
 */
const NEURIPS: Pick<Preset, "methods" | "batchSize" | "metrics" | "hyper"> = {
  methods: ["vae", "vae_flow", "dlgm", "lae_neurips"],
  batchSize: 100,
  metrics: ["nelbo", "niwae_10", "niwae_100"],
  hyper: {
    "*": {
      nets: "mlp",
      likelihood: "discretized_logistic",
      latentDim: 8,
      sigma: 1.2011, // softplus(tau)^(-1/2)
      learnSigma: true,
      optimizer: "sgd",
      learningRate: 1e-4,
      posteriorSteps: 2, // T, of DLGM
    },
  },
};

/** The presets, each for every method of the table but where it says which. All numbers that decide how long they take are here. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  smoke: {
    about:
      "does everything work: all methods, one seed, few images, small nets; under 90 s on 2 cores",
    datasets: ["fashion_4k"],
    seeds: [0],
    epochs: 8,
    batchSize: 50,
    trainCount: 1000,
    sampleCount: 500,
    metrics: ["fd_fashion"],
    scoreUntrained: true,
    device: "cpu",
    hyper: small({ width: 0.125, learningRate: 2e-3, sgdLearningRate: 1e-3 }), // 3e-3 diverges
  },
  quick: {
    about:
      "a table that means something: all methods, three seeds, nets a quarter as wide; at most 10 min on 2 cores",
    datasets: ["fashion_4k"],
    seeds: [0, 1, 2],
    epochs: 2,
    batchSize: 40,
    trainCount: null,
    sampleCount: 1000,
    metrics: ["fd_fashion"],
    scoreUntrained: true,
    device: "cpu",
    hyper: small({ width: 0.25, learningRate: 1e-3, sgdLearningRate: 3e-4 }), // 1e-3 diverges
  },
  table1: {
    about: "the paper's Table 1: SVHN, CIFAR-10, CelebA-HQ 32 and 64; days on a CPU",
    datasets: ["svhn", "cifar10", "celeba_hq_32", "celeba_hq_64"],
    seeds: [0, 1, 2],
    epochs: 50, // ours: not given in the paper
    batchSize: 100, // appendix F.3
    trainCount: null,
    sampleCount: 50_000, // not given in the paper; as the LEBM code, from which its baselines come
    metrics: ["fid"],
    scoreUntrained: false,
    device: "cpu",
    hyper: { "*": { latentDim: 128 }, "*@svhn": { latentDim: 64 } }, // appendix F.3
  },
  "peer-speed": {
    about: "seconds an epoch at the paper's nets and batches, as ci/peers times PyTorch; no scores",
    datasets: ["fashion_4k"],
    seeds: [0],
    epochs: 2, // the first is a warm-up
    batchSize: 100,
    trainCount: null,
    sampleCount: 100, // to look at
    metrics: [],
    scoreUntrained: false,
    device: "cpu",
    hyper: { "*": { latentDim: 64 } },
  },
  likelihood: {
    about:
      "bounds on the likelihood: the NeurIPS version's nets and steps on the embedded images; about 15 min on 2 cores",
    ...NEURIPS,
    datasets: ["fashion_4k"],
    seeds: [0, 1, 2],
    epochs: 10,
    trainCount: null,
    sampleCount: 100,
    scoreUntrained: false,
    device: "cpu",
  },
  likelihood_full: {
    about: "the NeurIPS version's table: MNIST, SVHN, CIFAR-10; days on a CPU",
    ...NEURIPS,
    datasets: ["mnist", "svhn", "cifar10"],
    seeds: [0, 1, 2],
    epochs: 50,
    trainCount: null,
    sampleCount: 100,
    scoreUntrained: false,
    device: "cpu",
  },
};

/** The preset of `deno task bench` without words. */
export const DEFAULT_PRESET = "quick";
