/**
 * Learned noise between the grey levels of images: variational dequantization (Ho et al. 2019, section 3.1), with the networks
 * of CoopFlow's code (models/flowplusplus). The noise of an image x is u = sigmoid(h(xi; x)), xi ~ N(0, I), where h is a flow
 * on the fields of the chess board whose couplings see features of x.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ImageShape, Noise } from "../../harness/core/types.ts";
import {
  type Affine,
  convolve,
  gatedConvolution,
  gatedMacs,
  type GatedParams,
  initGated,
  initialiser,
} from "./coupling_net.ts";
import {
  type CouplingHyper,
  flowLayerMacs,
  type FlowLayerParams,
  forward,
  initFlowLayer,
} from "./flow_layer.ts";
import { fromBoard, toBoard } from "./image_flow.ts";
import { logStandardNormal } from "./standard_normal.ts";

/** Layers of the flow h, and gated convolutions that make the features, in CoopFlow's code. */
const LAYERS = 4;
const FEATURE_BLOCKS = 3;

/** Settings of the couplings of h, whose auxiliary maps are the features. */
export type DequantizerHyper = CouplingHyper & { readonly auxiliaryChannels: number };

export type DequantizerParams = {
  readonly features: {
    readonly first: Affine;
    readonly gated: { readonly [block: string]: GatedParams };
  };
  readonly layers: { readonly [layer: string]: FlowLayerParams };
};

/** Noise between grey levels, and its density. */
export interface LevelNoise {
  /** In [0, 1], of the shape of the images. */
  readonly u: tf.Tensor4D;
  /** log q(u | x) in nats, [m]. */
  readonly logDensity: tf.Tensor1D;
}

/** A density q(u | x) of noise between grey levels, learned with the flow. */
export interface Dequantizer {
  /** Multiply-accumulates of one draw for one image. */
  readonly macs: number;
  init(noise: Noise): DequantizerParams;
  /** The noise that the standard normal draws `xi` give for `images`, both [m, height, width, channels]; images in [0, 1]. */
  draw(
    params: DequantizerParams,
    given: { readonly images: tf.Tensor4D; readonly xi: tf.Tensor4D },
  ): LevelNoise;
}

/** The learned noise of images of the shape `image`, of an even height and width. */
export function dequantizer(
  { height, width, channels }: ImageShape,
  hyper: DequantizerHyper,
): Dequantizer {
  const { auxiliaryChannels, weightNorm, components } = hyper;
  const [places, boardChannels] = [height * width / 2, 2 * channels];
  const names = Array.from({ length: LAYERS }, (_, i) => `${i}`);

  /** Features [m, height, width / 2, auxiliaryChannels] of `images`. */
  const featuresOf = (
    { first, gated }: DequantizerParams["features"],
    images: tf.Tensor4D,
  ): tf.Tensor4D =>
    Object.values(gated).reduce(
      (h, params) => gatedConvolution(params, h),
      convolve(toBoard(tf.sub(images, 0.5)), first),
    );

  return {
    macs: places *
        (9 * boardChannels * auxiliaryChannels + FEATURE_BLOCKS * gatedMacs(auxiliaryChannels)) +
      LAYERS * flowLayerMacs({ channels: boardChannels, places }, hyper),

    init(noise) {
      const [features, layers] = ["features", "layers"].map((name) => noise.split(name));
      const { affine } = initialiser(features, { weightNorm: false });
      const gated = Array.from({ length: FEATURE_BLOCKS }, (_, i) => [
        i,
        initGated({ channels: auxiliaryChannels, weightNorm }, i, features),
      ]);
      return {
        features: {
          first: affine("first", [3, 3, boardChannels, auxiliaryChannels]),
          gated: Object.fromEntries(gated),
        },
        layers: Object.fromEntries(
          names.map((name) => [name, initFlowLayer(boardChannels, hyper, layers.split(name))]),
        ),
      };
    },

    draw({ features, layers }, { images, xi }) {
      const conditions = { components, auxiliary: featuresOf(features, images) };
      let [x, total]: [tf.Tensor4D, tf.Tensor1D] = [toBoard(xi), tf.zeros([xi.shape[0]])];
      for (const name of names) {
        const { y, logDet } = forward(layers[name], x, conditions);
        [x, total] = [y, tf.add(total, logDet)];
      }
      const t = fromBoard(x);
      // u = sigmoid(t): -log du / dt = softplus(t) + softplus(-t).
      const slopes = tf.sum<tf.Tensor1D>(tf.add(tf.softplus(t), tf.softplus(tf.neg(t))), [1, 2, 3]);
      const logNormal = logStandardNormal(tf.reshape(xi, [xi.shape[0], -1]));
      return {
        u: tf.sigmoid(t),
        logDensity: tf.add(tf.sub(logNormal, total), slopes),
      };
    },
  };
}
