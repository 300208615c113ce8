/**
 * Networks inside the couplings of an image flow (Ho et al. 2019, Flow++): convolutions with gates, and attention, on maps
 * [m, height, width, channels] that keep their size.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise } from "../../harness/core/types.ts";

/** Size of a coupling network. */
export interface CouplingNetHyper {
  /** Channels of its inputs and outputs. */
  readonly inputs: number;
  readonly outputs: number;
  /** Channels between. */
  readonly channels: number;
  /** Blocks of a gated convolution and, with attention, of gated self-attention. */
  readonly blocks: number;
  readonly attention: boolean;
  /** Whether weights are normalised (Salimans and Kingma 2016): a direction, and a scale for each output. */
  readonly weightNorm: boolean;
  /** Channels of maps that every block sees besides; absent if there are none. */
  readonly auxiliaryChannels?: number;
}

type Weight = {
  /** [..., inputs, outputs]; with weight normalisation, only its direction counts. */
  readonly weight: tf.Tensor;
  /** Norm of the weights of each output; absent without weight normalisation. */
  readonly scale?: tf.Tensor;
};
/** Parameters of a convolution or of a fully connected layer. */
export type Affine = Weight & { readonly bias: tf.Tensor };
type Norm = { readonly gain: tf.Tensor; readonly shift: tf.Tensor };

/** Parameters of a gated convolution. */
export type GatedParams = {
  readonly conv: Affine;
  readonly gate: Affine;
  /** Of the auxiliary maps, if there are any. */
  readonly auxiliary?: Affine;
};
type Block = GatedParams & {
  readonly norm: Norm;
  readonly attention?: { readonly project: Weight; readonly gate: Affine; readonly norm: Norm };
};

/** Parameters of a coupling network. */
export type CouplingNetParams = {
  readonly first: Affine;
  readonly last: Affine;
  readonly blocks: { readonly [block: string]: Block };
};

/** Heads of the attention in Flow++. */
const HEADS = 4;

/** Factor on the last initial weights, which starts couplings close to the identity. */
const LAST_GAIN = 0.1;

/** Makes initial weights by name: normal with the variance of PyTorch's default, 1 / (3 fan in), times `gain`; biases 0. */
interface WeightInitialiser {
  /** Of the shape [..., inputs, outputs]. */
  weight(name: string, shape: number[], gain?: number): Weight;
  affine(name: string, shape: number[], gain?: number): Affine;
}

/** The initialiser that draws from `noise`. */
export function initialiser(
  noise: Noise,
  { weightNorm }: { readonly weightNorm: boolean },
): WeightInitialiser {
  const weight = (name: string, shape: number[], gain = 1): Weight => {
    const fanIn = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const deviation = gain * Math.sqrt(1 / (3 * fanIn));
    const weight = tf.mul(noise.split(name).normal(shape), deviation);
    return { weight, ...weightNorm && { scale: normOfOutputs(weight) } };
  };
  const affine = (name: string, shape: number[], gain = 1): Affine => ({
    ...weight(name, shape, gain),
    bias: tf.zeros([shape[shape.length - 1]]),
  });
  return { weight, affine };
}

/** Norms [outputs] of the weights [..., outputs] of each output. */
function normOfOutputs(weight: tf.Tensor): tf.Tensor {
  const inputs = weight.shape.slice(0, -1).map((_, axis) => axis);
  return tf.sqrt(tf.sum(tf.square(weight), inputs));
}

/** The weights in use. */
function weightOf({ weight, scale }: Weight): tf.Tensor {
  return scale === undefined ? weight : tf.mul(weight, tf.div(scale, normOfOutputs(weight)));
}

/** A gated convolution without auxiliary maps. */
interface GatedHyper {
  readonly channels: number;
  readonly weightNorm: boolean;
}

/** Initial parameters of gated convolution `i`. */
export function initGated(
  { channels, weightNorm }: GatedHyper,
  i: number,
  noise: Noise,
): GatedParams {
  const { affine } = initialiser(noise, { weightNorm });
  return {
    conv: affine(`conv${i}`, [3, 3, 2 * channels, channels]),
    gate: affine(`gate${i}`, [1, 1, 2 * channels, 2 * channels]),
  };
}

/** Initial parameters: weights with the variance of PyTorch's default, 1 / (3 fan in), biases 0, gains 1. */
export function initCouplingNet(
  { inputs, outputs, channels, blocks, attention, weightNorm, auxiliaryChannels }: CouplingNetHyper,
  noise: Noise,
): CouplingNetParams {
  const { weight, affine } = initialiser(noise, { weightNorm });
  const norm = (): Norm => ({ gain: tf.ones([channels]), shift: tf.zeros([channels]) });
  const block = (i: number): Block => ({
    ...initGated({ channels, weightNorm }, i, noise),
    ...auxiliaryChannels !== undefined && {
      auxiliary: affine(`auxiliary${i}`, [1, 1, 2 * auxiliaryChannels, channels]),
    },
    norm: norm(),
    ...attention && {
      attention: {
        project: weight(`project${i}`, [channels, 3 * channels]),
        gate: affine(`mix${i}`, [channels, 2 * channels]),
        norm: norm(),
      },
    },
  });
  return {
    first: affine("first", [3, 3, inputs, channels]),
    last: affine("last", [3, 3, channels, outputs], LAST_GAIN),
    blocks: Object.fromEntries(Array.from({ length: blocks }, (_, i) => [i, block(i)])),
  };
}

/** Multiply-accumulates of a gated convolution at one place. */
export function gatedMacs(channels: number): number {
  return 9 * 2 * channels ** 2 + 4 * channels ** 2;
}

/** Multiply-accumulates of one pass over `positions` places. */
export function couplingNetMacs(
  { inputs, outputs, channels, blocks, attention, auxiliaryChannels = 0 }: CouplingNetHyper,
  positions: number,
): number {
  const gated = gatedMacs(channels) + 2 * auxiliaryChannels * channels;
  const attended = attention ? 3 * channels ** 2 + 2 * positions * channels + 2 * channels ** 2 : 0;
  return positions * (9 * channels * (inputs + outputs) + blocks * (gated + attended));
}

// Deviation: CoopFlow's flow has no dropout
/** Maps like `x` [m, height, width, channels]: convolutions of 3x3, plus one of 1x1 of the maps `auxiliary`, and a gate. */
export function gatedConvolution(
  { conv, gate, auxiliary: weights }: GatedParams,
  x: tf.Tensor4D,
  auxiliary?: tf.Tensor4D,
): tf.Tensor4D {
  const own = convolve(concatElu(x), conv);
  const h = weights && auxiliary
    ? tf.add<tf.Tensor4D>(own, convolve(concatElu(auxiliary), weights))
    : own;
  return halfGated(convolve(concatElu(h), gate));
}

/** The outputs [m, height, width, outputs] of the network for `x` [m, height, width, inputs] and maps of the same size. */
export function applyCouplingNet(
  params: CouplingNetParams,
  x: tf.Tensor4D,
  auxiliary?: tf.Tensor4D,
): tf.Tensor4D {
  const { first, last, blocks } = params;
  const h = Object.values(blocks).reduce((h, { norm, attention, ...gated }) => {
    const normed = layerNorm(tf.add(h, gatedConvolution(gated, h, auxiliary)), norm);
    if (attention === undefined) return normed;
    const mixed = tf.add<tf.Tensor4D>(normed, attend(normed, attention));
    return layerNorm(mixed, attention.norm);
  }, convolve(x, first));
  return convolve(h, last);
}

/** `x` convolved, with as many places as before. */
export function convolve(x: tf.Tensor4D, { bias, ...weight }: Affine): tf.Tensor4D {
  return tf.add(tf.conv2d(x, weightOf(weight) as tf.Tensor4D, 1, "same"), bias);
}

/** (elu(x), elu(-x)) along the channels. */
function concatElu(x: tf.Tensor4D): tf.Tensor4D {
  return tf.concat([tf.elu(x), tf.elu(tf.neg(x))], 3);
}

/** a sigmoid(b) for the halves a and b of the last axis. */
function halfGated<T extends tf.Tensor>(x: T): T {
  const [a, b] = tf.split(x, 2, -1);
  return tf.mul(a, tf.sigmoid(b)) as T;
}

/** Layer normalisation over the channels (Ba et al. 2016), epsilon as in PyTorch. */
function layerNorm(x: tf.Tensor4D, { gain, shift }: Norm): tf.Tensor4D {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5))), gain), shift);
}

/** Gated self-attention of all places with each other (Vaswani et al. 2017), with sines and cosines of the place added. */
function attend(x: tf.Tensor4D, { project, gate }: NonNullable<Block["attention"]>): tf.Tensor4D {
  const [m, height, width, channels] = x.shape;
  const places = height * width;
  const rows = tf.add(tf.reshape(x, [m, places, channels]), positions(places, channels));
  const projected = tf.matMul(
    tf.reshape(rows, [m * places, channels]),
    weightOf(project) as tf.Tensor2D,
  );
  const [keys, values, queries] = tf.split(projected, 3, 1).map((part) =>
    tf.transpose(tf.reshape(part, [m, places, HEADS, channels / HEADS]), [0, 2, 1, 3])
  );
  const logits = tf.mul(tf.matMul(queries, keys, false, true), (channels / HEADS) ** -0.5);
  const weights = tf.exp(tf.sub(logits, tf.logSumExp(logits, -1, true)));
  const mixed = tf.transpose(tf.matMul(weights, values), [0, 2, 1, 3]);
  const flat = tf.reshape(mixed, [m * places, channels]);
  const out = tf.add(tf.matMul(flat, weightOf(gate) as tf.Tensor2D), gate.bias);
  return tf.reshape(halfGated(out), [m, height, width, channels]);
}

/** Sines, then cosines, of the place times geometric frequencies from 1 to 1e-4: [1, places, channels]. */
function positions(places: number, channels: number): tf.Tensor {
  const count = channels / 2;
  const index = tf.reshape(tf.range(0, places, 1, "float32"), [places, 1]);
  const exponent = tf.mul(
    tf.range(0, count, 1, "float32"),
    -Math.log(1e4) / Math.max(1, count - 1),
  );
  const angles = tf.mul(index, tf.reshape(tf.exp(exponent), [1, count]));
  return tf.reshape(tf.concat([tf.sin(angles), tf.cos(angles)], 1), [1, places, channels]);
}
