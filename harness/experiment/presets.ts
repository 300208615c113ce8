import type { Experiment } from "../core/records.ts";

/** A named experiment. */
export interface Preset extends Omit<Experiment, "name" | "methods" | "threads" | "modules"> {
  /** All methods of the table if absent. */
  readonly methods?: readonly string[];
  /** The cores divided by the runs at a time if absent. */
  readonly threads?: number;
  /** Purpose and approximate time, for listings. */
  readonly about: string;
}

/**
 * Small networks and large learning rates, so that a few hundred steps show learning: an eighth of the channels of the paper's
 * networks, sigma = 1 gives the prior weight from the start, and Langevin chains are short.
 */
const SMALL: Experiment["hyper"] = {
  "*": {
    width: 0.125,
    learningRate: 2e-3,
    featureDim: 2048, // times width, 256: more features than latents, so that LAE's last layers can move all of them
    latentDim: 32,
    sigma: 1,
    // For the time of LEBM's chains, 20 x 0.005. At 0.05 step size times curvature is above 2 after 160 training steps.
    posteriorSteps: 8,
    posteriorStepSize: 0.0125,
    priorSteps: 20,
    searchEvery: 50, // short runs choose their step size several times
  },
  // Of these, vae_flow, dlgm and lae have what `deno task tune` chose; it left the others as they are (docs/tuning.md).
  vae_flow: { sigma: 0.697, learningRate: 1.37e-3, flowCount: 8 },
  dlgm: { sigma: 0.488, learningRate: 4.92e-3, posteriorStepSize: 5.66e-3 },
  // As many gradients as fit a minute a run: the step differentiates through them.
  hvae: { integratorSteps: 2, integratorStepSize: 0.1 },
  langevin_vae: { integratorSteps: 3 },
  lfbm: { testSteps: 160 }, // 20 K
  lebm: { energyLearningRate: 1e-3 },
  // Algorithm 4 keeps the latent sampler network up with the energy.
  lae: {
    chainCount: 400,
    temperature: 0, // n / d: fewer features than images
    learning: "ml",
    innerSteps: 5,
    posteriorStepSize: 0.005,
    stepSize: 1.88e-3,
    damping: 5.24e-3,
  },
  lae_neurips: { sgdLearningRate: 3e-4 }, // 1e-3 diverges in quick
  ebm: {
    nets: "small_xie2021",
    width: 1,
    learningRate: 1e-3,
    bufferSize: 400, // every chain is continued once in ten batches
    langevinSteps: 10,
    sampleSteps: 30,
  },
  // Published, steps are 2e8 times as short, for an energy whose gradients are far larger: it learns ten times as fast, without
  // a penalty, and diverges in quick. At 40 the chains are too slow, and the conditional VAE ends as one image a class; at w = 2 images
  // are blurred.
  coopvaebm: {
    nets: "small",
    width: 1,
    learningRate: 1e-3,
    energyLearningRate: 1e-3,
    energyPenalty: 1,
    klWeight: 0.2,
    referenceSigma: 0,
    langevinSteps: 10,
    langevinStepSize: 400,
    driftLimit: 0.2,
    sampleSteps: 10,
  },
  // Published, steps are 1e5 times as short, and both learn ten times as slowly.
  coopflow: {
    nets: "small_xie2021",
    width: 1,
    flowBlocks: 1,
    flowLearningRate: 1e-3,
    energyLearningRate: 1e-3,
    warmUpSteps: 0,
    energyPenalty: 1,
    langevinSteps: 10,
    langevinStepSize: 40,
    driftLimit: 0.2,
    // Steps five times as long as published, each of which halves what is left of the error: a twentieth as many are enough.
    fitSteps: 10,
    fitStepSize: 0.25,
  },
};

/** The same with shorter chains, for a check that everything works: all methods in less than two minutes on two cores. */
const SMALLEST: Experiment["hyper"] = {
  ...SMALL,
  "*": { ...SMALL["*"], posteriorSteps: 4, priorSteps: 10 },
  hvae: { ...SMALL.hvae, integratorSteps: 1 },
  langevin_vae: { integratorSteps: 2 },
  sri_layers: { posteriorSteps: 3 },
  lfbm: { testSteps: 80 }, // 20 K
  ebm: { ...SMALL.ebm, langevinSteps: 5, sampleSteps: 40 },
  coopvaebm: { ...SMALL.coopvaebm, langevinSteps: 5, sampleSteps: 5 },
  coopflow: { ...SMALL.coopflow, width: 0.25, langevinSteps: 5, fitSteps: 5 },
};

/** The Fréchet distance, and what it does not see: all from one pass through the classifier of Fashion-MNIST. */
const FASHION = [
  "fd_fashion",
  "coverage_fashion",
  "recall_fashion",
  "entropy_fashion",
  "kid_fashion",
  "accuracy_fashion", // of conditional models
];

/**
 * LAE and its baselines as released with the NeurIPS version: equal perceptrons, discretized logistic, plain SGD, tau = 0 at
 * the start, 8 latents. The settings for each data set are unknown beyond the code's defaults.
 */
const NEURIPS: Pick<Preset, "methods" | "batchSize" | "metrics" | "hyper"> = {
  methods: ["vae", "vae_flow", "iwae", "dlgm", "lae_neurips"],
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
    // Not of that version, and slow: they join by name. Two gradients each.
    hvae: { integratorSteps: 1 },
    langevin_vae: { integratorSteps: 2 },
  },
};

/** CoopVAEBM's settings for MNIST and Fashion-MNIST, as its README calls its code; the batch has 400 images there. */
const COOPVAEBM_28: Experiment["hyper"][string] = {
  langevinSteps: 50, // --des_sample_steps
  langevinStepSize: 5e-7, // --des_step_size 0.001
  learningRate: 1e-4, // --vae_lr
  klWeight: 3, // --weight_latent_loss
};

/** The rows of Table 1, and LAE's NeurIPS version. Others join a preset without them by `--methods`. */
const TABLE1_METHODS = ["vae", "vae_flow", "abp", "dlgm", "lebm", "lae", "lae_neurips"];

/** The presets. Every number that affects how long they take is here. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  smoke: {
    about:
      "a check that everything works: all methods, one seed, few images, small networks; less than 2 min on 2 cores with --jobs 2",
    datasets: ["fashion_4k"],
    seeds: [0],
    epochs: 6,
    batchSize: 40,
    trainCount: 1000,
    sampleCount: 500,
    metrics: FASHION,
    scoreUntrained: true,
    device: "cpu",
    hyper: SMALLEST,
  },
  quick: {
    about:
      "a small but meaningful table: the methods of the paper, three seeds, networks an eighth as wide; at most 10 min on 2 cores. Others by --methods, under a minute a run",
    methods: TABLE1_METHODS,
    datasets: ["fashion_4k"],
    seeds: [0, 1, 2],
    epochs: 3,
    batchSize: 40,
    trainCount: null,
    sampleCount: 1000,
    metrics: FASHION,
    scoreUntrained: true,
    device: "cpu",
    hyper: SMALL,
  },
  table1: {
    about: "the paper's Table 1: SVHN, CIFAR-10, CelebA-HQ 32 and 64; days on a CPU",
    methods: TABLE1_METHODS,
    datasets: ["svhn", "cifar10", "celeba_hq_32", "celeba_hq_64"],
    seeds: [0, 1, 2],
    epochs: 50, // ours: not given in the paper
    batchSize: 100, // appendix F.3
    trainCount: null,
    sampleCount: 50_000, // not given in the paper; as the LEBM code, from which its baselines come
    metrics: ["fid"],
    scoreUntrained: false,
    device: "cpu",
    hyper: {
      "*": { latentDim: 128 }, // appendix F.3
      "*@svhn": { latentDim: 64 },
      coopvaebm: { latentDim: 100, norm: "batch" }, // its code
      "coopvaebm@mnist@28": COOPVAEBM_28,
      "coopvaebm@fashion_mnist@28": COOPVAEBM_28,
      coopflow: { nets: "xie2022", flowBlocks: 10 }, // its code
    },
  },
  table1_small: {
    about:
      "Table 1 in small, on colour images: its methods on CIFAR-10, three seeds, networks a quarter as wide; about 50 min on 2 cores with --jobs 2. Without the data set installed: --datasets archive:FILE with 32x32 colour pictures",
    methods: TABLE1_METHODS,
    datasets: ["cifar10"],
    seeds: [0, 1, 2],
    epochs: 2,
    batchSize: 100,
    trainCount: null,
    sampleCount: 10_000,
    metrics: [
      "fid",
      "fd_cifar",
      "coverage_cifar",
      "recall_cifar",
      "entropy_cifar",
      "kid_cifar",
      "accuracy_cifar",
    ],
    scoreUntrained: true,
    device: "cpu",
    hyper: {
      ...SMALL,
      "*": { ...SMALL["*"], width: 0.25, latentDim: 64, learningRate: 1e-3 },
      // Of these, vae, vae_flow and lae have what `deno task tune` chose at this preset (docs/table1_small.md).
      vae: { sigma: 0.452, learningRate: 1.51e-4 },
      vae_flow: { sigma: 0.223, learningRate: 7.46e-4, flowCount: 7 },
      dlgm: { ...SMALL.dlgm, learningRate: 1e-3 }, // what tuning chose for quick diverges here
      lae: {
        ...SMALL.lae,
        energyPenalty: 0.01,
        chainCount: 0,
        innerSteps: 1,
        stepSize: 1.69e-3,
        damping: 0.0125,
      },
    },
  },
  "peer-speed": {
    about:
      "seconds per epoch with the paper's networks and batch size, as ci/peers times PyTorch; no scores",
    methods: TABLE1_METHODS,
    datasets: ["fashion_4k"],
    seeds: [0],
    epochs: 2, // the first is a warm-up
    batchSize: 100,
    trainCount: null,
    sampleCount: 100, // for samples.png
    metrics: [],
    scoreUntrained: false,
    device: "cpu",
    hyper: { "*": { latentDim: 64 } },
  },
  likelihood: {
    about:
      "bounds on the likelihood with the NeurIPS version's networks and step sizes on the embedded images; about 20 min on 2 cores. hvae and langevin_vae join by --methods",
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

/** Preset of `deno task bench` without arguments. */
export const DEFAULT_PRESET = "quick";
