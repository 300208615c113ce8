/** CoopFlow (Xie et al. 2022): a normalizing flow on images proposes, short Langevin chains toward an energy-based model revise. */
import * as tf from "@tensorflow/tfjs";
import { mapTree } from "../harness/core/tree.ts";
import type { Method, Model, Noise, Problem, Tree } from "../harness/core/types.ts";
import { adam, type AdamSlots, initAdam } from "./parts/adam.ts";
import { scaled } from "./parts/architectures.ts";
import { checkCounts, checkNotNegative, checkPositive, choice } from "./parts/checks.ts";
import { clipByNorm } from "./parts/clip.ts";
import { lossAndGradients } from "./parts/gradients.ts";
import {
  chainMetrics,
  checkImageChain,
  fitChainStart,
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
import { dequantizer, type DequantizerParams } from "./parts/dequantizer.ts";
import { decayScales } from "./parts/flow_layer.ts";
import {
  IMAGE_FLOW_DEVIATIONS,
  imageFlow,
  type ImageFlowHyper,
  type ImageFlowParams,
} from "./parts/image_flow.ts";
import { toModelRange, toUnitRange } from "./parts/likelihood.ts";
import { MIXING_DEVIATIONS } from "./parts/mixing.ts";
import { logStandardNormal } from "./parts/standard_normal.ts";
import { stepFlops } from "./parts/step_flops.ts";

// CoopFlow's code, main_cifar.py. Steps have the size s there; eta = s^2 / 2.
const defaults = {
  nets: "small", // ours, for two cores: a sixteenth of the energy's channels, affine couplings without attention; `xie2022` is the code's
  width: 1, // factor on channels
  flowBlocks: 2, // ours; 10 is --num_blocks
  dequantization: "auto", // `variational`, the code's, for nets=xie2022, `uniform` for the others
  flowLearningRate: 1e-4, // --lr_flow
  energyLearningRate: 1e-4, // --lr_ebm
  warmUpSteps: 200, // --warm_up: both rates rise to these in as many steps
  gradientNorm: 1, // --max_grad_norm, of the flow
  scaleDecay: 5e-5, // --weight_decay: half of this times the square of each scale is added to the flow's loss; without effect where weights are not normalised
  flowOnlySteps: 0, // CoopFlow(Pre): at first the flow alone learns, from the data
  energyOnlySteps: 0, // CoopFlow(Pre): then the energy alone; 25 epochs in the code
  energyPenalty: 0, // ours, as in IGEBM's code
  langevinSteps: 30, // T, --num_steps_Langevin_coopNet; 0: the flow alone
  langevinStepSize: 4.5e-4, // s = 0.03, the paper's for CIFAR-10
  driftLimit: 0.1,
  temperature: 0, // the code leaves the noise out
  fitSteps: 200, // of the gradient descent that reconstructs and fills in, section 5.3; 0: neither
  fitStepSize: 0.05,
};

/** A family of networks: the energy's and its factor on channels, and the flow's. */
interface Family {
  readonly energy: EnergyNets;
  readonly energyWidth: number;
  readonly flow: Omit<ImageFlowHyper, "blocks">;
}

/** Layers of Flow++ for 32x32: four on the chess board, then at half the size two on channels and three on the board. */
const SCALES = [{ channels: 0, board: 4 }, { channels: 2, board: 3 }];

const FAMILIES: Readonly<Record<string, Family>> = {
  xie2022: {
    energy: "xie2022",
    energyWidth: 1,
    flow: { scales: SCALES, channels: 96, attention: true, components: 32, weightNorm: true },
  },
  small: {
    energy: "xie2022",
    energyWidth: 1 / 16,
    flow: { scales: SCALES, channels: 16, attention: false, components: 0, weightNorm: false },
  },
  small_xie2021: {
    energy: "xie2021",
    energyWidth: 1 / 4,
    flow: { scales: SCALES, channels: 16, attention: false, components: 0, weightNorm: false },
  },
  moments: {
    energy: "moments",
    energyWidth: 1,
    flow: {
      scales: [{ channels: 0, board: 2 }],
      channels: 8,
      attention: false,
      components: 0,
      weightNorm: false,
    },
  },
};

/** Adam's decay rates in CoopFlow's code. */
const ENERGY_BETAS = [0.5, 0.5] as const;
const FLOW_BETAS = [0.9, 0.999] as const;

/** Grey levels of an image. */
const LEVELS = 256;

/** Blocks of the couplings that make the noise between grey levels, --num_dequant_blocks, and channels of their features. */
const DEQUANTIZER_BLOCKS = 2;
const FEATURE_CHANNELS = 32;

/** The parameters that the likelihood of the flow teaches. */
type FlowParams = {
  readonly flow: ImageFlowParams;
  /** Of the noise between grey levels; absent if it is uniform. */
  readonly dequantizer?: DequantizerParams;
};

type State = FlowParams & {
  readonly energy: EnergyParams;
  readonly adam: {
    readonly energy: AdamSlots<EnergyParams>;
    readonly flow: AdamSlots<ImageFlowParams>;
    readonly dequantizer?: AdamSlots<DequantizerParams>;
  };
};

function build({ image, batchSize }: Problem, hyper: typeof defaults): Model<State> {
  const { width, flowBlocks, flowLearningRate, energyLearningRate, warmUpSteps } = hyper;
  const { gradientNorm, energyPenalty, langevinSteps, driftLimit, temperature } = hyper;
  const { fitSteps, fitStepSize, flowOnlySteps, energyOnlySteps, scaleDecay } = hyper;
  checkPositive({ width, flowLearningRate, energyLearningRate, gradientNorm, driftLimit });
  checkPositive({ fitStepSize });
  checkNotNegative({ energyPenalty, scaleDecay });
  checkCounts({ flowBlocks, warmUpSteps, fitSteps, flowOnlySteps, energyOnlySteps }, 0);
  checkImageChain(hyper, 0);
  const family = FAMILIES[choice("nets", hyper.nets, Object.keys(FAMILIES))];
  const net = imageEnergy(image, {
    nets: family.energy,
    width: width * family.energyWidth,
    inputs: image.channels,
  });
  const channels = fourTimes(family.flow.channels * width);
  const flow = imageFlow(image, { ...family.flow, channels, blocks: flowBlocks });
  const asked = choice("dequantization", hyper.dequantization, ["auto", "variational", "uniform"]);
  const isLearned = asked === "variational" || (asked === "auto" && hyper.nets === "xie2022");
  const levelNoise = isLearned
    ? dequantizer(image, {
      ...family.flow,
      channels,
      blocks: DEQUANTIZER_BLOCKS,
      auxiliaryChannels: scaled(FEATURE_CHANNELS, channels / FAMILIES.xie2022.flow.channels),
    })
    : undefined;
  const dimension = image.height * image.width * image.channels;
  const rule: ImageRule = {
    stepSize: hyper.langevinStepSize,
    temperature,
    driftLimit,
    range: PIXEL_RANGE,
  };
  const energyOf = ({ energy }: State) => (x: tf.Tensor4D) => net.energy(energy, x);

  /** The flow's images in [-1, 1] of `code` [m, dimension]. */
  const imagesOf = ({ flow: params }: State, code: tf.Tensor2D): tf.Tensor4D =>
    tf.clipByValue(toModelRange(flow.decode(params, code)), ...PIXEL_RANGE) as tf.Tensor4D;

  /** Samples of the flow in [-1, 1]. */
  const propose = (state: State, count: number, noise: Noise): tf.Tensor4D =>
    imagesOf(state, noise.split("proposal").normal<tf.Tensor2D>([count, dimension]));

  /**
   * log p(x) in nats of the grey levels of each of `images` [m, h, w, c] in [0, 1], at one draw of the noise u between the levels:
   * log p(v) - log q(u | x), a lower bound in the mean (Theis et al. 2016, section 3.1; Ho et al. 2019, section 3.1), [m].
   */
  const logDensity = (params: FlowParams, images: tf.Tensor4D, noise: Noise): tf.Tensor1D => {
    const draws = noise.split("levels");
    const learned = levelNoise && params.dequantizer &&
      levelNoise.draw(params.dequantizer, { images, xi: draws.normal(images.shape) });
    const u = learned?.u ?? draws.uniform(images.shape);
    const v: tf.Tensor4D = tf.div(tf.add(tf.mul(images, LEVELS - 1), u), LEVELS);
    const { code, logDet } = flow.encode(params.flow, v);
    const ofImage = tf.sub<tf.Tensor1D>(
      tf.add(logStandardNormal(code), logDet),
      dimension * Math.log(LEVELS),
    );
    return learned ? tf.sub(ofImage, learned.logDensity) : ofImage;
  };

  const draw = (
    state: State,
    { count, noise }: { readonly count: number; readonly noise: Noise },
  ) =>
    imageChain(energyOf(state), propose(state, count, noise), {
      steps: langevinSteps,
      rule,
      noise,
    });

  return {
    flops: stepFlops(
      batchSize,
      4 * flow.macs + 3 * (levelNoise?.macs ?? 0) + (2 * langevinSteps + 6) * net.macs,
    ),
    limits: ENERGY_LIMITS,

    init(noise) {
      const energy = net.init(noise.split("energy"));
      const params = flow.init(noise.split("flow"));
      const levels = levelNoise?.init(noise.split("dequantizer"));
      return {
        energy,
        flow: params,
        ...levels && { dequantizer: levels },
        adam: {
          energy: initAdam(energy),
          flow: initAdam(params),
          ...levels && { dequantizer: initAdam(levels) },
        },
      };
    },

    /**
     * Revises the flow's proposals by T steps to x~. One step of Adam lowers -log p(x~) in the flow, which sees no data; another
     * lowers mean U(x) - mean U(x~) in the energy. Xie et al. 2022, algorithm 1. In CoopFlow(Pre) the flow at first learns from
     * the data, then rests while the energy learns.
     */
    step(state, { images, step }, noise) {
      const x = toModelRange(images);
      const start = propose(state, x.shape[0], noise);
      // Deviation: CoopFlow(Pre) is one run: in the steps of the flow alone the chain runs too, without effect
      const end = imageChain(energyOf(state), start, { steps: langevinSteps, rule, noise });

      const turns = turnsAt(step, { flowOnlySteps, energyOnlySteps });
      const revised = tf.mul(tf.add(end.images, 1), 0.5) as tf.Tensor4D;
      const taught = turns ? choose(turns.isFlowOnly, images, revised) : revised;
      const learners = flowParamsOf(state);
      const likelihood = lossAndGradients((params: FlowParams) => {
        const logs = logDensity(params, taught, noise);
        return { loss: tf.neg<tf.Scalar>(tf.mean(logs)) };
      }, learners);
      const contrast = lossAndGradients((energy: EnergyParams) => {
        const [data, samples] = [x, end.images].map((x) => net.energy(energy, x));
        return contrastiveLoss({ data, samples, penalty: energyPenalty });
      }, state.energy);

      const rate = (base: number, step: tf.Scalar): number | tf.Scalar => {
        if (warmUpSteps === 0) return base;
        const share = tf.div(tf.add(tf.cast(step, "float32"), 1), warmUpSteps);
        return tf.mul<tf.Scalar>(tf.minimum(share, 1), base);
      };
      const [flowStep, energyStep] = [turns?.flowStep ?? step, turns?.energyStep ?? step];
      const clipped = clipByNorm(likelihood.gradients, gradientNorm);
      const gradients = family.flow.weightNorm
        ? decayScales(clipped, { params: learners, decay: scaleDecay })
        : clipped;
      const flowOptions = {
        learningRate: rate(flowLearningRate, flowStep),
        step: flowStep,
        betas: FLOW_BETAS,
      };
      const nextFlow = adam(
        { params: state.flow, slots: state.adam.flow },
        { ...flowOptions, gradients: gradients.flow },
      );
      const nextDequantizer = state.dequantizer && state.adam.dequantizer &&
        gradients.dequantizer && adam(
          { params: state.dequantizer, slots: state.adam.dequantizer },
          { ...flowOptions, gradients: gradients.dequantizer },
        );
      const nextEnergy = adam(
        { params: state.energy, slots: state.adam.energy },
        {
          gradients: contrast.gradients,
          learningRate: rate(energyLearningRate, energyStep),
          step: energyStep,
          betas: ENERGY_BETAS,
        },
      );
      const { energyData, energySamples } = contrast.parts;
      const { loss } = likelihood.parts;
      const next: State = {
        energy: nextEnergy.params,
        flow: nextFlow.params,
        ...nextDequantizer && { dequantizer: nextDequantizer.params },
        adam: {
          energy: nextEnergy.slots,
          flow: nextFlow.slots,
          ...nextDequantizer && { dequantizer: nextDequantizer.slots },
        },
      };
      return {
        state: turns ? rested(next, { before: state, turns }) : next,
        metrics: {
          loss,
          bitsPerDim: tf.div<tf.Scalar>(loss, dimension * Math.LN2),
          energyData,
          energySamples,
          ...chainMetrics(start, end),
        },
      };
    },

    /** Samples of the flow, revised by T steps. */
    sample: (state, { count }, noise) => toUnitRange(draw(state, { count, noise }).images),

    alternatives: [{
      name: "flow",
      label: "CoopFlow, its flow alone",
      sample: (state, { count }, noise) => toUnitRange(propose(state, count, noise)),
      logDensity,
    }],

    bijection: {
      /** The code of the middle of each grey level. */
      encode: (state, images) => {
        const middle: tf.Tensor4D = tf.div(tf.add(tf.mul(images, LEVELS - 1), 0.5), LEVELS);
        return flow.encode(state.flow, middle).code;
      },
      decode: (state, codes) => toUnitRange(imagesOf(state, codes)),
    },

    ...langevinSteps > 0 && fitSteps > 0 && {
      /** The end of the chain without noise whose start, at first a sample of the flow, is fitted to the image. */
      restoration: {
        steps: fitSteps,
        start: propose,
        step: (state, fit, { images, seen }) =>
          fitChainStart(energyOf(state), fit, {
            images: toModelRange(images),
            seen,
            steps: langevinSteps,
            rule,
            fitStepSize,
          }),
        finish: (state, fit) =>
          toUnitRange(imageChain(energyOf(state), fit, { steps: langevinSteps, rule }).images),
      },
    },

    ...langevinSteps > 0 && {
      langevinChains: [{
        name: "revision",
        steps: langevinSteps,
        prepare: (state, { images }, noise) =>
          prepareImageChain(energyOf(state), {
            start: propose(state, images.shape[0], noise),
            data: toModelRange(images),
            rule,
          }),
      }],
    },
  };
}

/** Whose turn it is to learn in CoopFlow(Pre), and how many steps each has learned before: float32 scalars. */
interface Turns {
  readonly isFlowOnly: tf.Scalar;
  readonly isEnergyOnly: tf.Scalar;
  readonly flowStep: tf.Scalar;
  readonly energyStep: tf.Scalar;
}

/** The turns at `step`; undefined if both always learn. */
function turnsAt(
  step: tf.Scalar,
  { flowOnlySteps, energyOnlySteps }: Pick<
    typeof defaults,
    "flowOnlySteps" | "energyOnlySteps"
  >,
): Turns | undefined {
  if (flowOnlySteps + energyOnlySteps === 0) return undefined;
  const t: tf.Scalar = tf.cast(step, "float32");
  const after = (steps: number): tf.Scalar => tf.maximum(tf.sub(t, steps), 0);
  const isFlowOnly: tf.Scalar = tf.less(t, flowOnlySteps);
  const isBefore = tf.less(t, flowOnlySteps + energyOnlySteps);
  return {
    isFlowOnly,
    isEnergyOnly: tf.logicalAnd(isBefore, tf.logicalNot(isFlowOnly)),
    flowStep: tf.add(tf.minimum(t, flowOnlySteps), after(flowOnlySteps + energyOnlySteps)),
    energyStep: after(flowOnlySteps),
  };
}

/** `next` with the parts of `before` whose turn it is not. */
function rested(
  next: State,
  { before, turns }: { readonly before: State; readonly turns: Turns },
): State {
  const hold = <P extends Tree>(isHeld: tf.Scalar, old: P, fresh: P): P =>
    mapTree(old, ([old, fresh]) => choose(isHeld, old, fresh), fresh);
  const { isFlowOnly, isEnergyOnly } = turns;
  const { energy: oldSlots, ...ofFlow } = before.adam;
  const { energy: newSlots, ...nextOfFlow } = next.adam;
  return {
    energy: hold(isFlowOnly, before.energy, next.energy),
    ...hold(isEnergyOnly, flowParamsOf(before), flowParamsOf(next)),
    adam: {
      energy: hold(isFlowOnly, oldSlots, newSlots),
      ...hold(isEnergyOnly, ofFlow, nextOfFlow),
    },
  };
}

/** The parameters that learn by the flow's likelihood. */
function flowParamsOf({ flow, dequantizer }: State): FlowParams {
  return { flow, ...dequantizer && { dequantizer } };
}

/** `yes` if `condition`, else `no`. */
function choose<T extends tf.Tensor>(condition: tf.Scalar, yes: T, no: T): T {
  return tf.where(tf.broadcastTo(condition, yes.shape), yes, no) as T;
}

/** The nearest positive multiple of four: attention has four heads. */
function fourTimes(channels: number): number {
  return 4 * Math.max(1, Math.round(channels / 4));
}

export const coopflow: Method<typeof defaults> = {
  name: "coopflow",
  label: "CoopFlow",
  description: "EBM of images, flow",
  source:
    "Xie, Zhu, Li and Li 2022 (A tale of two flows), algorithm 1, and their code (main_cifar.py); Flow++ of Ho et al. 2019",
  deviations: [
    ...ENERGY_DEVIATIONS,
    ...IMAGE_FLOW_DEVIATIONS,
    ...MIXING_DEVIATIONS,
    "CoopFlow's flow has no dropout",
    "CoopFlow(Pre) is one run: in the steps of the flow alone the chain runs too, without effect",
    "CoopFlow's flow starts near the identity: no initialisation from data, so that the flow learns from the chain alone",
  ],
  defaults,
  ranges: {
    flowLearningRate: { scale: "log", low: 1e-5, high: 1e-2 },
    energyLearningRate: { scale: "log", low: 1e-5, high: 1e-2 },
    langevinStepSize: { scale: "log", low: 1e-4, high: 100 },
    langevinSteps: { scale: "integer", low: 5, high: 40 },
  },
  build,
};
