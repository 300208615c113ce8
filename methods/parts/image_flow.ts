/**
 * A normalizing flow on images: layers of activation normalisation, an invertible mixture of channels and a coupling, at two
 * scales (Ho et al. 2019, Flow++; Kingma and Dhariwal 2018, Glow). Its density is exact.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ImageShape, Noise } from "../../harness/core/types.ts";
import {
  applyCouplingNet,
  type CouplingNetHyper,
  couplingNetMacs,
  type CouplingNetParams,
  initCouplingNet,
} from "./coupling_net.ts";
import { inverseOf, mixingMatrix, type MixingParams } from "./mixing.ts";
import { logisticMixture, logisticMixtureInverse } from "./logistic_mixture.ts";

/** Layers of one scale: those that split the channels in halves, then those that split the places like a chess board. */
export interface FlowScale {
  readonly channels: number;
  readonly board: number;
}

/** Settings of a flow. */
export interface ImageFlowHyper {
  /** From the finest: each after the first has maps half as wide and high, and half of the numbers. */
  readonly scales: readonly FlowScale[];
  /** Of the couplings' networks. */
  readonly channels: number;
  readonly blocks: number;
  readonly attention: boolean;
  /** K: components of the mixtures of logistics in couplings; 0 for affine couplings. */
  readonly components: number;
}

/** Parameters of a layer. */
type LayerParams = {
  readonly mean: tf.Tensor;
  /** Log of the factor after the mean is subtracted. */
  readonly logScale: tf.Tensor;
  readonly mixing: MixingParams;
  readonly net: CouplingNetParams;
  /** Factor on the couplings' log scales, a channel each. */
  readonly rescale: tf.Tensor;
};

export type ImageFlowParams = { readonly [layer: string]: LayerParams };

/** A code and the log of the volume change on the way to it. */
export interface FlowCode {
  /** [m, height * width * channels]. */
  readonly code: tf.Tensor2D;
  /** log |det d code / d v| in nats, [m]. */
  readonly logDet: tf.Tensor1D;
}

/** A flow between images `v` [m, height, width, channels] and codes that are N(0, I). */
export interface ImageFlow {
  /** Multiply-accumulates of one pass for one image, in either direction. */
  readonly macs: number;
  init(noise: Noise): ImageFlowParams;
  /** The code of `v` in [0, 1]. */
  encode(params: ImageFlowParams, v: tf.Tensor4D): FlowCode;
  /** The images of `code`, which may leave [0, 1] a little: the density reaches from -1/18 to 1 + 1/18. */
  decode(params: ImageFlowParams, code: tf.Tensor2D): tf.Tensor4D;
}

/** Images are shrunk by this factor about the middle of their range, so that their logits are bounded. Dinh et al. 2017. */
const SHRINK = 0.9;

/** How the halves of a layer are cut. */
type Cut = "channels" | "board";

interface LayerPlan {
  readonly name: string;
  readonly cut: Cut;
  /** Shape of the layer's tensor, whose channels are both halves. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Steps of the flow: layers, and the places between where the maps are halved. */
type Plan = readonly (readonly LayerPlan[])[];

/** The layers of each scale for images of `image`. Throws RangeError where maps cannot be halved. */
function planOf(image: ImageShape, scales: readonly FlowScale[]): Plan {
  let { height, width, channels } = image;
  return scales.map((scale, s) => {
    if (s > 0) [height, width, channels] = [height / 2, width / 2, channels * 2];
    const board = { height, width: width / 2, channels: 2 * channels };
    const isWhole = Number.isInteger(height) && Number.isInteger(width) &&
      (scale.board === 0 || (height % 2 === 0 && width % 2 === 0)) &&
      (scale.channels === 0 || channels % 2 === 0);
    if (!isWhole) {
      throw new RangeError(
        `No network for images of ${image.height}x${image.width}: a flow of ${scales.length} scales halves their maps`,
      );
    }
    return [
      ...Array.from({ length: scale.channels }, (_, i) => ({
        name: `${s}_channels${i}`,
        cut: "channels" as const,
        ...{ height, width, channels },
      })),
      ...Array.from({ length: scale.board }, (_, i) => ({
        name: `${s}_board${i}`,
        cut: "board" as const,
        ...board,
      })),
    ];
  });
}

/** The flow for images of the shape `image`. */
export function imageFlow(image: ImageShape, hyper: ImageFlowHyper): ImageFlow {
  const plan = planOf(image, hyper.scales);
  const netOf = ({ channels }: LayerPlan): CouplingNetHyper => ({
    ...hyper,
    inputs: channels / 2,
    outputs: channels / 2 * (2 + 3 * hyper.components),
  });
  const layers = plan.flat();

  /** Applies the layers of a scale in order, or backwards, between the cuts that they need. */
  const through = (
    x: tf.Tensor4D,
    { scale, back, apply }: {
      readonly scale: readonly LayerPlan[];
      readonly back: boolean;
      readonly apply: (layer: LayerPlan, x: tf.Tensor4D) => tf.Tensor4D;
    },
  ): tf.Tensor4D => {
    const cuts = [...new Set(scale.map(({ cut }) => cut))];
    return (back ? cuts.toReversed() : cuts).reduce((x, cut) => {
      const own = scale.filter((layer) => layer.cut === cut);
      const inner = cut === "board" ? toBoard(x) : x;
      const done = (back ? own.toReversed() : own).reduce((y, layer) => apply(layer, y), inner);
      return cut === "board" ? fromBoard(done) : done;
    }, x);
  };

  return {
    macs: layers.reduce((sum, layer) => {
      const { height, width, channels } = layer;
      return sum + couplingNetMacs(netOf(layer), height * width) + height * width * channels ** 2;
    }, 0),

    // Deviation: CoopFlow's flow starts near the identity: no initialisation from data, so that the flow learns from the chain alone
    init: (noise) =>
      Object.fromEntries(layers.map((layer) => {
        const { channels, name } = layer;
        const params: LayerParams = {
          mean: tf.zeros([channels]),
          logScale: tf.zeros([channels]),
          mixing: {
            // Starts at the identity with noise of 1e-3, as in CoopFlow's code.
            factors: tf.mul(noise.split(name, "mixing").normal([channels, channels]), 1e-3),
            logDiagonal: tf.zeros([channels]),
          },
          net: initCouplingNet(netOf(layer), noise.split(name)),
          rescale: tf.ones([channels / 2]),
        };
        return [name, params];
      })),

    encode(params, v) {
      const { logits, logDet } = toLogits(v);
      let [x, total] = [logits, logDet];
      const parts: tf.Tensor2D[] = [];
      for (const [s, scale] of plan.entries()) {
        if (s > 0) {
          const [kept, left] = tf.split<tf.Tensor4D>(squeeze(x), 2, 3);
          parts.unshift(flat(left));
          x = kept;
        }
        x = through(x, {
          scale,
          back: false,
          apply: (layer, x) => {
            const { y, logDet } = forward(params[layer.name], x, hyper.components);
            total = tf.add(total, logDet);
            return y;
          },
        });
      }
      return { code: tf.concat([flat(x), ...parts], 1), logDet: total };
    },

    decode(params, code) {
      const { height, width, channels } = image;
      const m = code.shape[0];
      /** Shape of what enters the layers of scale s. */
      const shapeAt = (s: number): [number, number, number, number] => [
        m,
        height / 2 ** s,
        width / 2 ** s,
        channels * 2 ** s,
      ];
      const sizeAt = (s: number) => shapeAt(s).slice(1).reduce((a, b) => a * b, 1);
      let from = sizeAt(plan.length - 1);
      let x: tf.Tensor4D = tf.reshape(
        tf.slice(code, [0, 0], [m, from]),
        shapeAt(plan.length - 1),
      );
      for (let s = plan.length - 1; s >= 0; s--) {
        x = through(x, {
          scale: plan[s],
          back: true,
          apply: (layer, y) => backward(params[layer.name], y, hyper.components),
        });
        if (s === 0) continue;
        const left = tf.reshape(tf.slice(code, [0, from], [m, sizeAt(s)]), shapeAt(s));
        from += sizeAt(s);
        x = unsqueeze(tf.concat([x, left as tf.Tensor4D], 3));
      }
      return fromLogits(x);
    },
  };
}

const flat = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [x.shape[0], -1]);

/** log(y / (1 - y)) of y = 1/2 + SHRINK (v - 1/2), and the log volume change. */
function toLogits(v: tf.Tensor4D): { readonly logits: tf.Tensor4D; readonly logDet: tf.Tensor1D } {
  const y = tf.add(tf.mul(tf.sub(v, 0.5), SHRINK), 0.5);
  const logits: tf.Tensor4D = tf.sub(tf.log(y), tf.log1p(tf.neg(y)));
  // d logit / d y = 1 / (y (1 - y)); -log y = softplus(-logit), -log(1 - y) = softplus(logit).
  const terms = tf.add(tf.softplus(logits), tf.softplus(tf.neg(logits)));
  return { logits, logDet: tf.sum(tf.add(terms, Math.log(SHRINK)), [1, 2, 3]) };
}

/**
 * The inverse of `toLogits`.
 *
 * Deviation: CoopFlow's proposals are the exact inverse of its flow: the released code leaves out the division by 0.9, and has dropout on
 */
function fromLogits(logits: tf.Tensor4D): tf.Tensor4D {
  return tf.add(tf.div(tf.sub(tf.sigmoid(logits), 0.5), SHRINK), 0.5);
}

/** Black and white fields of a chess board as halves of the channels: [m, h, w, c] to [m, h, w / 2, 2 c]. */
export function toBoard(x: tf.Tensor4D): tf.Tensor4D {
  const [m, h, w, c] = x.shape;
  // Even rows are (black, white) pairs, odd rows (white, black).
  const pairs = tf.reshape(x, [m, h / 2, 2, w / 2, 2, c]);
  const at = (row: number, column: number) =>
    tf.slice(pairs, [0, 0, row, 0, column, 0], [m, h / 2, 1, w / 2, 1, c]);
  const rows = [
    tf.concat([at(0, 0), at(0, 1)], 5),
    tf.concat([at(1, 1), at(1, 0)], 5),
  ];
  return tf.reshape(tf.concat(rows, 2), [m, h, w / 2, 2 * c]);
}

/** The inverse of `toBoard`. */
export function fromBoard(y: tf.Tensor4D): tf.Tensor4D {
  const [m, h, half, channels] = y.shape;
  const c = channels / 2;
  const fields = tf.reshape(y, [m, h / 2, 2, half, 2, c]);
  const at = (row: number, colour: number) =>
    tf.slice(fields, [0, 0, row, 0, colour, 0], [m, h / 2, 1, half, 1, c]);
  const rows = [
    tf.concat([at(0, 0), at(0, 1)], 4),
    tf.concat([at(1, 1), at(1, 0)], 4),
  ];
  return tf.reshape(tf.concat(rows, 2), [m, h, 2 * half, c]);
}

/** Squares of 2x2 places as four times the channels: [m, h, w, c] to [m, h / 2, w / 2, 4 c]. */
export function squeeze(x: tf.Tensor4D): tf.Tensor4D {
  const [m, h, w, c] = x.shape;
  const open = tf.transpose(tf.reshape(x, [m, h / 2, 2, w / 2, 2, c]), [0, 1, 3, 2, 4, 5]);
  return tf.reshape(open, [m, h / 2, w / 2, 4 * c]);
}

/** The inverse of `squeeze`. */
export function unsqueeze(y: tf.Tensor4D): tf.Tensor4D {
  const [m, h, w, channels] = y.shape;
  const c = channels / 4;
  const open = tf.transpose(tf.reshape(y, [m, h, w, 2, 2, c]), [0, 1, 3, 2, 4, 5]);
  return tf.reshape(open, [m, 2 * h, 2 * w, c]);
}

/**
 * One layer on `x` [m, h, w, 2 k]: (x - mean) exp(logScale), the mixture of the channels at each place, then the coupling
 * (a, b) -> ((a' + t(b)) exp(s(b))), with a' = a or the logit of a mixture's distribution function at a; halves change places.
 */
function forward(
  { mean, logScale, mixing, net, rescale }: LayerParams,
  x: tf.Tensor4D,
  components: number,
): { readonly y: tf.Tensor4D; readonly logDet: tf.Tensor1D } {
  const [, h, w] = x.shape;
  const normed: tf.Tensor4D = tf.mul(tf.sub(x, mean), tf.exp(logScale));
  const mixed = atEachPlace(normed, mixingMatrix(mixing));
  const [a, b] = tf.split<tf.Tensor4D>(mixed, 2, 3);
  const { s, t, ...mixture } = couplingOf(b, { net, rescale, components });
  const inner = components === 0
    ? { value: a, logSlope: tf.zerosLike(a) }
    : logisticMixture(a, mixture);
  const out = tf.mul(tf.add(inner.value, t), tf.exp(s));
  const perPlace = tf.mul(tf.add(tf.sum(logScale), tf.sum(mixing.logDiagonal)), h * w);
  const logDet: tf.Tensor1D = tf.add(tf.sum(tf.add(s, inner.logSlope), [1, 2, 3]), perPlace);
  return { y: tf.concat([b, out as tf.Tensor4D], 3), logDet };
}

/** The inverse of `forward`. */
function backward(
  { mean, logScale, mixing, net, rescale }: LayerParams,
  y: tf.Tensor4D,
  components: number,
): tf.Tensor4D {
  const [b, out] = tf.split<tf.Tensor4D>(y, 2, 3);
  const { s, t, ...mixture } = couplingOf(b, { net, rescale, components });
  const value = tf.sub(tf.mul(out, tf.exp(tf.neg(s))), t) as tf.Tensor4D;
  const a = components === 0 ? value : logisticMixtureInverse(value, mixture);
  const normed = atEachPlace(tf.concat([a, b], 3), inverseOf(mixing));
  return tf.add(tf.mul(normed, tf.exp(tf.neg(logScale))), mean);
}

/** x W at each place, for W [channels, channels]. */
function atEachPlace(x: tf.Tensor4D, w: tf.Tensor2D): tf.Tensor4D {
  const [m, h, width, c] = x.shape;
  return tf.reshape(tf.matMul(tf.reshape(x, [m * h * width, c]), w), [m, h, width, c]);
}

/** Least log scale of a logistic, as in Flow++'s code. */
const LEAST_LOG_SCALE = -7;

/** Log scale s and shift t of a coupling given `b` [m, h, w, k], and the mixtures [m, h, w, k, components]. */
function couplingOf(
  b: tf.Tensor4D,
  { net, rescale, components }: {
    readonly net: CouplingNetParams;
    readonly rescale: tf.Tensor;
    readonly components: number;
  },
) {
  const [m, h, w, k] = b.shape;
  const sizes = [k, k, ...components === 0 ? [] : Array<number>(3).fill(k * components)];
  const [raw, t, ...rest] = tf.split(applyCouplingNet(net, b), sizes, 3);
  const [logits, means, logScales] = rest.map((part) => tf.reshape(part, [m, h, w, k, components]));
  return {
    s: tf.mul(rescale, tf.tanh(raw)) as tf.Tensor4D,
    t,
    logits,
    means,
    logScales: logScales && tf.maximum(logScales, LEAST_LOG_SCALE),
  };
}

/** Deviations of the methods that use the flow. */
export const IMAGE_FLOW_DEVIATIONS: readonly string[] = [
  "CoopFlow's proposals are the exact inverse of its flow: the released code leaves out the division by 0.9, and has dropout on",
];
