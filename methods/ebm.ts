/** Energy-based model of images, p(x) = exp(-U(x) / T) / Z, learned with a buffer of persistent chains (Du and Mordatch 2019). */
import * as tf from "@tensorflow/tfjs";
import type { Method, Model, Noise, Problem } from "../harness/core/types.ts";
import { adam, type AdamSlots, initAdam } from "./parts/adam.ts";
import { checkCounts, checkNotNegative, checkPositive, choice } from "./parts/checks.ts";
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
  ENERGY_NETS,
  type EnergyParams,
  imageEnergy,
} from "./parts/image_energy.ts";
import { toModelRange, toUnitRange } from "./parts/likelihood.ts";
import { stepFlops } from "./parts/step_flops.ts";

// IGEBM's code, train.py, as its README calls it for CIFAR-10. There pixels are in [0, 1], so that a step of 10 dU/dx with
// noise of 0.005, clipped to 0.1, is one of 40 dU/dx with noise of 0.01, clipped to 0.2, in [-1, 1].
const defaults = {
  nets: "xie2022", // ours: see the deviations
  width: 1, // factor on channels
  learningRate: 3e-4, // --lr
  energyPenalty: 1, // alpha, --l2_coeff
  bufferSize: 10_000, // ReplayBuffer(10000)
  restart: 0.05, // probability that a chain starts at noise
  langevinSteps: 60, // K, --num_steps
  langevinStepSize: 40, // eta: --step_lr 10
  driftLimit: 0.2, // --proj_norm 0.01 times --step_lr
  temperature: 1.25e-6, // T: noise of 0.01 = sqrt(2 eta T)
  sampleSteps: 1_000, // ours: test_inception.py runs about as many in all
};

type State = {
  readonly energy: EnergyParams;
  /** Ends of chains, the oldest first, [bufferSize, height, width, channels] in [-1, 1]. */
  readonly buffer: tf.Tensor;
  readonly adam: AdamSlots<EnergyParams>;
};

/** Adam's decay rates in IGEBM's code. */
const BETAS = [0, 0.999] as const;

function build({ image, batchSize }: Problem, hyper: typeof defaults): Model<State> {
  const { width, learningRate, energyPenalty, bufferSize, restart, driftLimit } = hyper;
  const { langevinSteps, sampleSteps } = hyper;
  checkPositive({ width, learningRate, driftLimit });
  checkNotNegative({ energyPenalty });
  checkImageChain(hyper);
  checkCounts({ sampleSteps }, 1);
  checkCounts({ bufferSize }, batchSize);
  if (!(restart >= 0 && restart <= 1)) {
    throw new RangeError(`restart must be in [0, 1], got ${restart}`);
  }
  const nets = choice("nets", hyper.nets, ENERGY_NETS);
  const net = imageEnergy(image, { nets, width, inputs: image.channels });
  const shape = [image.height, image.width, image.channels];
  const rule: ImageRule = {
    stepSize: hyper.langevinStepSize,
    temperature: hyper.temperature,
    driftLimit,
    range: PIXEL_RANGE,
  };
  const energyOf = ({ energy }: Pick<State, "energy">) => (x: tf.Tensor) => net.energy(energy, x);

  /** `count` images of uniform noise on [-1, 1]. */
  const noiseImages = (count: number, noise: Noise): tf.Tensor4D =>
    toModelRange(noise.uniform([count, ...shape]));

  /** The oldest `count` images of the buffer, again from the first where there are fewer. */
  const oldest = ({ buffer }: State, count: number): tf.Tensor4D => {
    const times = Math.ceil(count / bufferSize);
    const enough = times === 1 ? buffer : tf.tile(buffer, [times, 1, 1, 1]);
    return tf.slice(enough as tf.Tensor4D, 0, count);
  };

  return {
    flops: stepFlops(batchSize, (2 * langevinSteps + 6) * net.macs),
    limits: ENERGY_LIMITS,

    init(noise) {
      const energy = net.init(noise.split("energy"));
      return {
        energy,
        buffer: noiseImages(bufferSize, noise.split("buffer")),
        adam: initAdam(energy),
      };
    },

    /**
     * Continues the oldest chains of the buffer by K steps, some of them from noise instead, and puts their ends x- behind the
     * newest. One step of Adam down mean U(x) - mean U(x-) + alpha (mean U(x)^2 + mean U(x-)^2). Du and Mordatch 2019,
     * algorithm 1.
     */
    step(state, { images, step }, noise) {
      const x = toModelRange(images);
      const m = x.shape[0];
      const shapeOfBuffer = [bufferSize - m, ...shape];
      // Deviation: IGEBM's buffer is a queue here: every chain is continued once in bufferSize / m steps, where the code draws chains at random and lets the new ones replace the oldest
      const kept = tf.slice(state.buffer, [0, 0, 0, 0], [m, ...shape]) as tf.Tensor4D;
      const restarts = tf.less(noise.split("restart").uniform([m, 1, 1, 1]), restart);
      const fresh = noiseImages(m, noise.split("start"));
      const start: tf.Tensor4D = tf.where(tf.broadcastTo(restarts, kept.shape), fresh, kept);
      const end = imageChain(energyOf(state), start, { steps: langevinSteps, rule, noise });
      const { parts, gradients } = lossAndGradients((energy: EnergyParams) => {
        const [data, samples] = [x, end.images].map((x) => net.energy(energy, x));
        return contrastiveLoss({ data, samples, penalty: energyPenalty });
      }, state.energy);
      const { params, slots } = adam(
        { params: state.energy, slots: state.adam },
        { gradients, learningRate, step, betas: BETAS },
      );
      const rest = tf.slice(state.buffer, [m, 0, 0, 0], shapeOfBuffer);
      return {
        state: {
          energy: params,
          buffer: m === bufferSize ? end.images : tf.concat([rest, end.images], 0),
          adam: slots,
        },
        metrics: { ...parts, ...chainMetrics(start, end) },
      };
    },

    /** Ends of chains of `sampleSteps` from noise. */
    sample(state, { count }, noise) {
      const start = noiseImages(count, noise.split("start"));
      return toUnitRange(
        imageChain(energyOf(state), start, { steps: sampleSteps, rule, noise }).images,
      );
    },

    alternatives: [{
      name: "buffer",
      label: "EBM, buffer",
      /** Images of the buffer drawn at random, each continued by K steps. */
      sample(state, { count }, noise) {
        const draws = noise.split("rows").uniform<tf.Tensor1D>([count]);
        const rows = tf.cast(tf.mul(draws, bufferSize), "int32");
        const start = tf.gather(state.buffer as tf.Tensor4D, rows);
        return toUnitRange(
          imageChain(energyOf(state), start, { steps: langevinSteps, rule, noise }).images,
        );
      },
    }],

    langevinChains: [{
      name: "images",
      steps: langevinSteps,
      prepare: (state, { images }) =>
        prepareImageChain(energyOf(state), {
          start: oldest(state, images.shape[0]),
          data: toModelRange(images),
          rule,
        }),
    }],
  };
}

export const ebm: Method<typeof defaults> = {
  name: "ebm",
  label: "EBM",
  description: "EBM of images, buffer",
  source: "Du and Mordatch 2019, algorithm 1, and their code (train.py)",
  deviations: [
    ...ENERGY_DEVIATIONS,
    "IGEBM's buffer is a queue here: every chain is continued once in bufferSize / m steps, where the code draws chains at random and lets the new ones replace the oldest",
  ],
  defaults,
  ranges: {
    learningRate: { scale: "log", low: 1e-5, high: 3e-3 },
    langevinStepSize: { scale: "log", low: 0.1, high: 100 },
    energyPenalty: { scale: "log", low: 1e-3, high: 10 },
    restart: { scale: "linear", low: 0, high: 0.5 },
  },
  build,
};
