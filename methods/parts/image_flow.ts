/**
 * A normalizing flow on images: layers of activation normalisation, an invertible mixture of channels and a coupling, at two
 * scales (Ho et al. 2019, Flow++; Kingma and Dhariwal 2018, Glow). Its density is exact.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ImageShape, Noise } from "../../harness/core/types.ts";
import {
  backward,
  type CouplingHyper,
  flowLayerMacs,
  type FlowLayerParams,
  forward,
  initFlowLayer,
} from "./flow_layer.ts";

/** Layers of one scale: those that split the channels in halves, then those that split the places like a chess board. */
export interface FlowScale {
  readonly channels: number;
  readonly board: number;
}

/** Settings of a flow. */
export interface ImageFlowHyper extends CouplingHyper {
  /** From the finest: each after the first has maps half as wide and high, and half of the numbers. */
  readonly scales: readonly FlowScale[];
}

export type ImageFlowParams = { readonly [layer: string]: FlowLayerParams };

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
    macs: layers.reduce((sum, { height, width, channels }) => {
      return sum + flowLayerMacs({ channels, places: height * width }, hyper);
    }, 0),

    init: (noise) =>
      Object.fromEntries(layers.map(({ channels, name }) => [
        name,
        initFlowLayer(channels, hyper, noise.split(name)),
      ])),

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
            const { y, logDet } = forward(params[layer.name], x, hyper);
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
          apply: (layer, y) => backward(params[layer.name], y, hyper),
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

/** Squares of 2x2 places as four times the channels, those of each colour together: [m, h, w, c] to [m, h / 2, w / 2, 4 c]. */
export function squeeze(x: tf.Tensor4D): tf.Tensor4D {
  const [m, h, w, c] = x.shape;
  const open = tf.transpose(tf.reshape(x, [m, h / 2, 2, w / 2, 2, c]), [0, 1, 3, 5, 2, 4]);
  return tf.reshape(open, [m, h / 2, w / 2, 4 * c]);
}

/** The inverse of `squeeze`. */
export function unsqueeze(y: tf.Tensor4D): tf.Tensor4D {
  const [m, h, w, channels] = y.shape;
  const c = channels / 4;
  const open = tf.transpose(tf.reshape(y, [m, h, w, c, 2, 2]), [0, 1, 4, 2, 5, 3]);
  return tf.reshape(open, [m, 2 * h, 2 * w, c]);
}

/** Deviations of the methods that use the flow. */
export const IMAGE_FLOW_DEVIATIONS: readonly string[] = [
  "CoopFlow's proposals are the exact inverse of its flow: the released code leaves out the division by 0.9, and has dropout on",
];
