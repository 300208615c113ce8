/**
 * The variational autoencoder that proposes where CoopVAEBM's chains start: x = G(z), z ~ N(0, I), with the encoder
 * q(z | x) = N(mu(x), diag s(x)^2). With labels y, G takes (z, y) and the encoder (x, y).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ImageShape, Noise } from "../../harness/core/types.ts";
import { convolution, scaled } from "./architectures.ts";
import { halvings, stridedLayers } from "./image_energy.ts";
import { encoderLayers28, type Ends, generatorLayers28, isOf28 } from "./image_nets_28.ts";
import {
  applyNet,
  type ConvLayer,
  initNet,
  type Layer,
  macCount,
  type Net,
  type NetParams,
} from "./nets.ts";

/** Settings of the networks. */
export interface ImageVaeHyper {
  readonly latentDim: number;
  /** Factor on channels; 1 is that of CoopVAEBM's code for CIFAR-10. */
  readonly width: number;
  /** Whether the generator's first layers have batch normalisation. */
  readonly batchNorm: boolean;
  /** Classes of y; 0 without labels. */
  readonly classCount: number;
}

export type ImageVaeParams = { readonly encoder: NetParams; readonly generator: NetParams };

/** A diagonal Gaussian for each row, [m, latentDim]. */
export interface EncodedGaussian {
  readonly mean: tf.Tensor2D;
  /** log s. */
  readonly logScale: tf.Tensor2D;
}

/** Inputs of an encoder besides the images. */
export interface EncodingInputs {
  /** y [m, classCount] of the images; absent without labels. */
  readonly oneHot?: tf.Tensor2D;
  /** Draws for dropout; needed where the encoder has it. */
  readonly noise?: Noise;
}

/** Networks of a VAE on images. `oneHot` [m, classCount] is y, absent without labels. */
export interface ImageVae {
  readonly encoderMacs: number;
  readonly generatorMacs: number;
  init(noise: Noise): ImageVaeParams;
  /** q(z | x) for images `x` [m, height, width, channels] in [-1, 1]. */
  encode(params: ImageVaeParams, x: tf.Tensor4D, inputs?: EncodingInputs): EncodedGaussian;
  /** Images in [-1, 1] for `z` [m, latentDim]. */
  generate(params: ImageVaeParams, z: tf.Tensor2D, oneHot?: tf.Tensor2D): tf.Tensor4D;
}

/** The networks of CoopVAEBM for images of the shape `image`. Throws RangeError for sizes that they do not have. */
export function imageVae(image: ImageShape, hyper: ImageVaeHyper): ImageVae {
  return vaeOfNets(
    { encoder: encoderNet(image, hyper), generator: generatorNet(image, hyper) },
    image,
  );
}

/** The VAE of an `encoder`, whose outputs are mu and log s^2, and a `generator` of images of the shape `image`. */
export function vaeOfNets(
  { encoder, generator }: { readonly encoder: Net; readonly generator: Net },
  { height, width, channels }: ImageShape,
): ImageVae {
  return {
    encoderMacs: macCount(encoder.layers),
    generatorMacs: macCount(generator.layers),
    init: (noise) => ({
      encoder: initNet(encoder, noise),
      generator: initNet(generator, noise),
    }),
    encode({ encoder: params }, x, { oneHot, noise } = {}) {
      const outputs = applyNet(encoder, { params, x: withLabelMaps(x, oneHot), noise });
      const [mean, logVariance] = tf.split<tf.Tensor2D>(outputs, 2, 1);
      return { mean, logScale: tf.mul(logVariance, 0.5) };
    },
    generate({ generator: params }, z, oneHot) {
      const input = oneHot === undefined ? z : tf.concat([z, oneHot], 1);
      const [m, inputs] = input.shape;
      const images = applyNet(generator, { params, x: tf.reshape(input, [m, 1, 1, inputs]) });
      return tf.reshape(images, [m, height, width, channels]);
    },
  };
}

/** y [m, classCount] of `labels` [m] int32, as 0 and 1. */
export function oneHotOf(labels: tf.Tensor1D, classCount: number): tf.Tensor2D {
  const columns = tf.reshape(tf.range(0, classCount, 1, "int32"), [1, classCount]);
  return tf.cast(tf.equal(tf.reshape(labels, [-1, 1]), columns), "float32");
}

/** `x` [m, height, width, channels] with a constant map for each class behind its channels. */
export function withLabelMaps(x: tf.Tensor4D, oneHot?: tf.Tensor2D): tf.Tensor4D {
  if (oneHot === undefined) return x;
  const [m, height, width] = x.shape;
  const [, classCount] = oneHot.shape;
  const maps = tf.broadcastTo(tf.reshape(oneHot, [m, 1, 1, classCount]), [
    m,
    height,
    width,
    classCount,
  ]);
  return tf.concat([x, maps as tf.Tensor4D], 3);
}

/** The encoder of CoopVAEBM's code, whose outputs are mu and log s^2; leaky ReLU. */
function encoderNet(image: ImageShape, { latentDim, width, classCount }: ImageVaeHyper): Net {
  const ends = { inputs: image.channels + classCount, outputs: 2 * latentDim, width };
  return {
    name: "encoder",
    layers: isOf28(image) ? encoderLayers28(ends) : encoderLayers(image, ends),
    activation: "leaky_relu",
    output: "identity",
    init: "he",
    outputGain: OUTPUT_GAIN,
  };
}

/** conv3s1 64, conv4s2 128, 256, 512, ..., and a fully connected layer. CoopVAEBM's code for CIFAR-10. */
function encoderLayers(image: ImageShape, { inputs, outputs, width }: Ends): Layer[] {
  const last = halvings(image);
  const channels = Array.from({ length: last + 1 }, (_, i) => 64 * Math.min(2 ** i, 8))
    .map((c) => scaled(c, width));
  return [
    ...stridedLayers(image, { inputs, channels }),
    { kind: "linear", inputs: 16 * channels[last], outputs }, // of the 4x4 map
  ];
}

/** The generator of CoopVAEBM's code; tanh at the end. */
function generatorNet(
  image: ImageShape,
  { latentDim, width, batchNorm, classCount }: ImageVaeHyper,
): Net {
  const ends = { inputs: latentDim + classCount, outputs: image.channels, width };
  const is28 = isOf28(image);
  return {
    name: "generator",
    layers: is28
      ? generatorLayers28({ ...ends, batchNorm })
      : generatorLayers(image, { ...ends, batchNorm }),
    activation: is28 ? "relu" : "leaky_relu",
    output: "tanh",
    // Deviation: The weights of CoopVAEBM's encoder and generator start at the scale of He et al. 2015, not at 0.005: without batch normalisation such small ones pass on no signal
    init: "he",
  };
}

/**
 * deconv4 to 4x4x256, deconv4s2 128, 64, 64 ..., deconv3s2 64, conv3s1 to the image; batch normalisation, if any, in all layers
 * but the last two. CoopVAEBM's code for CIFAR-10.
 */
function generatorLayers(
  image: ImageShape,
  { inputs: codes, outputs: channels, width, batchNorm }: Ends & { readonly batchNorm: boolean },
): ConvLayer[] {
  const doublings = halvings(image);
  const layers: ConvLayer[] = [
    convolution("deconv", [4, 1, 0], { inputs: codes, outputs: scaled(256, width), inputSize: 1 }),
  ];
  for (let i = 0; i < doublings; i++) {
    const { outputs: inputs, outputSize: inputSize } = layers[i];
    const outputs = scaled(i === 0 && doublings > 1 ? 128 : 64, width);
    layers.push(
      i < doublings - 1 ? convolution("deconv", [4, 2, 1], { inputs, outputs, inputSize }) : {
        ...convolution("deconv", [3, 2, 1], { inputs, outputs, inputSize }),
        pad: "same",
        outputSize: 2 * inputSize,
      },
    );
  }
  const normed = layers.map((layer, i) =>
    batchNorm && i < doublings ? { ...layer, batchNorm } : layer
  );
  const { outputs: inputs, outputSize: inputSize } = layers[doublings];
  return [...normed, convolution("conv", [3, 1, 1], { inputs, outputs: channels, inputSize })];
}

/** Factor on the encoder's last weights: q(z | x) starts close to the prior. */
const OUTPUT_GAIN = 0.1;

/** mu + s xi. */
export function drawCode({ mean, logScale }: EncodedGaussian, xi: tf.Tensor): tf.Tensor2D {
  return tf.add(mean, tf.mul(tf.exp(logScale), xi));
}

/** KL(q || N(0, I)) in nats, [m]: sum of (mu^2 + s^2 - 1 - log s^2) / 2. */
export function klOfCode({ mean, logScale }: EncodedGaussian): tf.Tensor1D {
  const variance = tf.exp(tf.mul(logScale, 2));
  const terms = tf.sub(
    tf.add(tf.square(mean), variance),
    tf.add(tf.mul(logScale, 2), 1),
  );
  return tf.mul(tf.sum<tf.Tensor1D>(terms, 1), 0.5);
}

/** Images that the VAE learns from, and the draws that it needs. */
export interface Lesson {
  /** x~ [m, height, width, channels] in [-1, 1]. */
  readonly images: tf.Tensor4D;
  /** Standard normal draws [m, latentDim] for z ~ q(z | x~). */
  readonly xi: tf.Tensor2D;
  readonly klWeight: number;
  /** y of the images, if they have labels. */
  readonly oneHot?: tf.Tensor2D;
  /** Draws for the encoder's dropout, if it has any. */
  readonly noise?: Noise;
}

/**
 * mean [||G(z) - x~||^2 + w KL(q(z | x~) || N(0, I))] over the images x~, z ~ q(z | x~), and the mean KL in nats: w times the
 * negative bound of a VAE whose decoder has the variance w / 2, up to a constant. CoopVAEBM's code.
 */
export function teachingLoss(
  { encode, generate }: ImageVae,
  params: ImageVaeParams,
  { images, xi, klWeight, oneHot, noise }: Lesson,
): Readonly<Record<"loss" | "kl", tf.Scalar>> {
  const q = encode(params, images, { oneHot, noise });
  const error = tf.squaredDifference(generate(params, drawCode(q, xi), oneHot), images);
  const kl = tf.mean<tf.Scalar>(klOfCode(q));
  const squares = tf.div(tf.sum(error), images.shape[0]);
  return { loss: tf.add<tf.Scalar>(squares, tf.mul(kl, klWeight)), kl };
}

/** Deviations of the method that uses these networks. */
export const IMAGE_VAE_DEVIATIONS: readonly string[] = [
  "The weights of CoopVAEBM's encoder and generator start at the scale of He et al. 2015, not at 0.005: without batch normalisation such small ones pass on no signal",
];
