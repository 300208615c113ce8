/** Energy-based model of images whose chains start at the samples of a VAE (Xie, Zheng and Li 2021): variational MCMC teaching. */
import * as tf from "@tensorflow/tfjs";
import type { Method, Model, Noise, Problem } from "../harness/core/types.ts";
import { adam, type AdamSlots, initAdam } from "./parts/adam.ts";
import { checkCounts, checkNotNegative, checkPositive, choice } from "./parts/checks.ts";
import { decayAt } from "./parts/decay.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import {
  chainMetrics,
  checkImageChain,
  imageChain,
  type ImageRule,
  PIXEL_RANGE,
  prepareImageChain,
} from "./parts/image_chain.ts";
import {
  contrastiveLoss,
  ENERGY_DEVIATIONS,
  ENERGY_LIMITS,
  type EnergyNets,
  type EnergyParams,
  imageEnergy,
} from "./parts/image_energy.ts";
import {
  drawCode,
  IMAGE_VAE_DEVIATIONS,
  imageVae,
  type ImageVaeParams,
  oneHotOf,
  teachingLoss,
  withLabelMaps,
} from "./parts/image_vae.ts";
import { toModelRange, toUnitRange } from "./parts/likelihood.ts";
import { stepFlops } from "./parts/step_flops.ts";

// CoopVAEBM's code, main.py and model/model.py, for CIFAR-10. Steps have the size delta there; eta = delta^2 / 2.
const defaults = {
  nets: "xie2021", // those of CIFAR-10, for images of 28x28 those of MNIST; `small` has a quarter of the channels
  width: 1, // factor on channels
  latentDim: 100,
  norm: "none", // `batch` is the code's: see the deviations
  conditional: false, // learns p(x | label)
  energyLearningRate: 0.009,
  learningRate: 2e-4, // of the VAE
  decay: 0.98 ** (1 / 20), // of both, per epoch
  klWeight: 2, // w: a Gaussian decoder of variance w / 2
  referenceSigma: 0.016, // standard deviation of the reference exp(-||x||^2 / (2 sigma^2)); 0: none
  langevinSteps: 15, // t1
  langevinStepSize: 2e-6, // delta = 0.002
  temperature: 0, // the code leaves the noise out
  driftLimit: 0, // ours, as in CoopFlow's code: the largest move of a pixel in a step, whose pixels stay in [-1, 1] then; 0: none
  energyPenalty: 0, // ours, as in IGEBM's code: alpha of alpha (mean U(x)^2 + mean U(x~)^2) in the energy's loss
  sampleSteps: 30, // t1 at test time
};

/** Values of `nets`, with the energy of each. */
const NETS: Readonly<Record<string, { readonly energy: EnergyNets; readonly width: number }>> = {
  xie2021: { energy: "xie2021", width: 1 },
  small: { energy: "xie2021", width: 1 / 4 },
  moments: { energy: "moments", width: 1 / 16 },
};

type Vae = ImageVaeParams;
type State = Vae & {
  readonly energy: EnergyParams;
  readonly adam: { readonly energy: AdamSlots<EnergyParams>; readonly vae: AdamSlots<Vae> };
};

function build(problem: Problem, hyper: typeof defaults): Model<State> {
  const { image, batchSize } = problem;
  const { latentDim, learningRate, energyLearningRate, decay, klWeight, referenceSigma } = hyper;
  const { langevinSteps, sampleSteps, temperature, driftLimit, energyPenalty } = hyper;
  checkPositive({ width: hyper.width, learningRate, energyLearningRate, decay });
  checkNotNegative({ klWeight, referenceSigma, driftLimit, energyPenalty });
  checkCounts({ latentDim }, 1);
  checkImageChain(hyper);
  checkCounts({ sampleSteps }, 0);
  const { energy: family, width } = NETS[choice("nets", hyper.nets, Object.keys(NETS))];
  // Deviation: The generator has no batch normalisation unless norm=batch, as in CoopVAEBM's code, where the samples of a batch depend on each other
  const batchNorm = choice("norm", hyper.norm, ["none", "batch"]) === "batch";
  // Deviation: The conditional model has labels as one-hot vectors beside z and as constant maps beside x: the released code has no conditional model
  const classCount = classCountOf(problem, hyper.conditional);
  // Deviation: Options of IGEBM's and CoopFlow's code are added, off by default: a penalty on the energy's size, and limits of a step
  const net = imageEnergy(image, {
    nets: family,
    width: width * hyper.width,
    inputs: image.channels + classCount,
  });
  const vae = imageVae(image, { latentDim, width: width * hyper.width, batchNorm, classCount });
  const rule: ImageRule = {
    stepSize: hyper.langevinStepSize,
    temperature,
    ...driftLimit > 0 && { driftLimit, range: PIXEL_RANGE },
  };
  const precision = referenceSigma === 0 ? 0 : referenceSigma ** -2;

  /** -f(x, y). */
  const netEnergy = (energy: EnergyParams, x: tf.Tensor4D, y?: tf.Tensor2D): tf.Tensor1D =>
    net.energy(energy, withLabelMaps(x, y));

  /** U(x) = ||x||^2 / (2 sigma^2) - f(x, y) of the reference and the network. */
  const energyOf = ({ energy }: State, y?: tf.Tensor2D) => (x: tf.Tensor4D): tf.Tensor1D => {
    const ofNet = netEnergy(energy, x, y);
    if (precision === 0) return ofNet;
    const square = tf.sum<tf.Tensor1D>(tf.square(x), [1, 2, 3]);
    return tf.add(ofNet, tf.mul(square, precision / 2));
  };

  const vaeOf = ({ encoder, generator }: State): Vae => ({ encoder, generator });

  /** y of `labels`; undefined if the model is not conditional. */
  const codeOf = (labels?: tf.Tensor1D): tf.Tensor2D | undefined => {
    if (classCount === 0) return undefined;
    if (labels === undefined) throw new TypeError("The batch has no labels");
    return oneHotOf(labels, classCount);
  };

  /** Samples of the VAE, one for each of `count`, or of the rows of `y`. */
  const propose = (
    state: State,
    { count, y, noise }: {
      readonly count: number;
      readonly y?: tf.Tensor2D;
      readonly noise: Noise;
    },
  ): tf.Tensor4D => vae.generate(state, noise.split("proposal").normal([count, latentDim]), y);

  /** Samples of the model: proposals, each revised by `steps` steps. */
  const draw = (
    state: State,
    { count, y, steps, noise }: {
      readonly count: number;
      readonly y?: tf.Tensor2D;
      readonly steps: number;
      readonly noise: Noise;
    },
  ): tf.Tensor4D => {
    const start = propose(state, { count, y, noise });
    return toUnitRange(imageChain(energyOf(state, y), start, { steps, rule, noise }).images);
  };

  /** Classes in turn for `count` samples; undefined if the model is not conditional. */
  const inTurn = (count: number): tf.Tensor2D | undefined => {
    if (classCount === 0) return undefined;
    const index = tf.range(0, count, 1, "int32");
    const turns = tf.cast(tf.div(tf.cast(index, "float32"), classCount), "int32");
    return oneHotOf(tf.sub(index, tf.mul(turns, tf.scalar(classCount, "int32"))), classCount);
  };

  return {
    flops: stepFlops(
      batchSize,
      vae.generatorMacs + (2 * langevinSteps + 6) * net.macs +
        3 * (vae.encoderMacs + vae.generatorMacs),
    ),
    limits: ENERGY_LIMITS,

    init(noise) {
      const energy = net.init(noise.split("energy"));
      const params = vae.init(noise);
      return { energy, ...params, adam: { energy: initAdam(energy), vae: initAdam(params) } };
    },

    /**
     * Revises the VAE's proposals by t1 steps to x~. One step of Adam lowers mean U(x) - mean U(x~) in the energy; another lowers
     * mean [||G(z) - x~||^2 + w KL(q(z | x~) || N(0, I))], z ~ q(z | x~), in the VAE, which sees no data. Xie et al. 2021,
     * algorithm 1.
     */
    step(state, { images, step, labels }, noise) {
      const x = toModelRange(images);
      const count = x.shape[0];
      const y = codeOf(labels);
      // Deviation: As many chains as images of the batch, where CoopVAEBM's code for CIFAR-10 has 900 chains and 250 images
      const start = propose(state, { count, y, noise });
      const end = imageChain(energyOf(state, y), start, { steps: langevinSteps, rule, noise });

      const contrast = lossAndGradients((energy: EnergyParams) => {
        const [data, samples] = [x, end.images].map((x) => netEnergy(energy, x, y));
        return contrastiveLoss({ data, samples, penalty: energyPenalty });
      }, state.energy);

      const xi = noise.split("code").normal<tf.Tensor2D>([count, latentDim]);
      const lesson = { images: end.images, xi, klWeight, oneHot: y, noise: noise.split("dropout") };
      const teaching = lossAndGradients(
        (params: Vae) => teachingLoss(vae, params, lesson),
        vaeOf(state),
      );

      const factor = decayAt(step, { problem, decay });
      const nextEnergy = adam(
        { params: state.energy, slots: state.adam.energy },
        {
          gradients: contrast.gradients,
          learningRate: tf.mul<tf.Scalar>(factor, energyLearningRate),
          step,
        },
      );
      const nextVae = adam(
        { params: vaeOf(state), slots: state.adam.vae },
        {
          gradients: teaching.gradients,
          learningRate: tf.mul<tf.Scalar>(factor, learningRate),
          step,
        },
      );
      const { energyData, energySamples } = contrast.parts;
      return {
        state: {
          energy: nextEnergy.params,
          ...nextVae.params,
          adam: { energy: nextEnergy.slots, vae: nextVae.slots },
        },
        metrics: { ...teaching.parts, energyData, energySamples, ...chainMetrics(start, end) },
      };
    },

    /** Proposals, revised by `sampleSteps` steps; of a conditional model the classes in turn. */
    sample: (state, { count }, noise) =>
      draw(state, { count, y: inTurn(count), steps: sampleSteps, noise }),

    alternatives: [{
      name: "proposals",
      label: "CoopVAEBM, its VAE alone",
      sample: (state, { count }, noise) =>
        draw(state, { count, y: inTurn(count), steps: 0, noise }),
    }],

    ...classCount > 0 && {
      conditional: {
        classCount,
        sample: (state, labels, noise) =>
          draw(state, {
            count: labels.shape[0],
            y: codeOf(labels),
            steps: sampleSteps,
            noise,
          }),
      },
    },

    // The encoder of a conditional model needs labels, which reconstructions do not have.
    ...classCount === 0 && {
      latents: {
        dim: latentDim,
        /** A draw of q(z | x). */
        infer: (state, images, noise) =>
          drawCode(
            vae.encode(state, toModelRange(images), { noise: noise.split("dropout") }),
            noise.split("code").normal([images.shape[0], latentDim]),
          ),
        decode: (state, latents) => toUnitRange(vae.generate(state, latents)),
      },
    },

    langevinChains: [{
      name: "revision",
      steps: langevinSteps,
      prepare: (state, { images, labels }, noise) => {
        const y = codeOf(labels);
        return prepareImageChain(energyOf(state, y), {
          start: propose(state, { count: images.shape[0], y, noise }),
          data: toModelRange(images),
          rule,
        });
      },
    }],
  };
}

/** Classes of a conditional model, 0 for others. Throws RangeError if the data has none. */
function classCountOf({ classCount }: Problem, conditional: boolean): number {
  if (!conditional) return 0;
  if (classCount === undefined) {
    throw new RangeError("conditional needs images with labels: the data set has none");
  }
  return classCount;
}

export const coopvaebm: Method<typeof defaults> = {
  name: "coopvaebm",
  label: "CoopVAEBM",
  description: "EBM of images, VAE",
  source:
    "Xie, Zheng and Li 2021 (Learning energy-based model with variational auto-encoder as amortized sampler), algorithm 1, and their code",
  wrongOn: { webgpu: "after ten steps its weights differ by 6e-4 from those of other devices" },
  deviations: [
    ...ENERGY_DEVIATIONS,
    ...IMAGE_VAE_DEVIATIONS,
    "As many chains as images of the batch, where CoopVAEBM's code for CIFAR-10 has 900 chains and 250 images",
    "The generator has no batch normalisation unless norm=batch, as in CoopVAEBM's code, where the samples of a batch depend on each other",
    "Options of IGEBM's and CoopFlow's code are added, off by default: a penalty on the energy's size, and limits of a step",
    "The conditional model has labels as one-hot vectors beside z and as constant maps beside x: the released code has no conditional model",
  ],
  defaults,
  ranges: {
    learningRate: { scale: "log", low: 1e-4, high: 1e-2 },
    energyLearningRate: { scale: "log", low: 1e-4, high: 3e-2 },
    langevinStepSize: { scale: "log", low: 1e-7, high: 1e-3 },
    klWeight: { scale: "log", low: 0.1, high: 10 },
  },
  build,
};
