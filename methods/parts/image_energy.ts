/**
 * Energies U(x) of images, for models p(x) = exp(-U(x)) / Z in data space. Every network has some outputs, whose sum is f(x)
 * in the papers' notation; U = -f.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ImageShape, Noise } from "../../harness/core/types.ts";
import { convolution, scaled } from "./architectures.ts";
import { choice } from "./checks.ts";
import { energyLayers28, isOf28 } from "./image_nets_28.ts";
import { applyNet, type ConvLayer, initNet, macCount, type Net, type NetParams } from "./nets.ts";

/**
 * `xie2021`: the strided convolutions of CoopVAEBM's code for CIFAR-10, and for 28x28 those for MNIST. `xie2022`: the residual network of CoopFlow's code.
 * `small_xie2021`, `small_xie2022`: the same with a quarter, and a sixteenth, of the channels. `moments`: f(x) = theta . (x, x^2),
 * without a hidden layer, whose maximum-likelihood answers are closed-form.
 */
export const ENERGY_NETS = [
  "xie2021",
  "xie2022",
  "small_xie2021",
  "small_xie2022",
  "moments",
] as const;
export type EnergyNets = typeof ENERGY_NETS[number];

/** Outputs of the residual network, and of that for images of 28x28, which are summed. */
const SUMMED_OUTPUTS = 100;

/** Standard deviation of initial weights in CoopVAEBM's code. */
const XIE2021_DEVIATION = 0.005;

/** Parameters of an energy: those of each of its networks. */
export type EnergyParams = { readonly [net: string]: NetParams };

/** An energy of images. */
export interface ImageEnergy {
  /** Multiply-accumulates of a forward pass for one image. */
  readonly macs: number;
  init(noise: Noise): EnergyParams;
  /** U(x) in nats for images `x` [m, height, width, inputs] in [-1, 1]: [m]. */
  energy(params: EnergyParams, x: tf.Tensor): tf.Tensor1D;
}

/** Settings of an energy. */
export interface EnergyHyper {
  readonly nets: EnergyNets;
  /** Factor on channels. */
  readonly width: number;
  /** Channels of its inputs: those of images, and more for labels. */
  readonly inputs: number;
}

/**
 * The energy of images of the shape `image`. Throws RangeError if there is no network for it.
 *
 * Deviation: Energies are networks of CoopFlow or CoopVAEBM for every method that learns one, also in place of IGEBM's ResNet with spectral normalisation: rows differ in the sampler alone
 */
export function imageEnergy(image: ImageShape, { nets, width, inputs }: EnergyHyper): ImageEnergy {
  switch (choice("nets", nets, ENERGY_NETS)) {
    case "xie2021":
      return stridedEnergy(image, { width, inputs });
    case "small_xie2021":
      return stridedEnergy(image, { width: width / 4, inputs });
    case "xie2022":
      return residualEnergy(image, { width, inputs });
    case "small_xie2022":
      return residualEnergy(image, { width: width / 16, inputs });
    case "moments":
      return momentsEnergy(image, inputs);
  }
}

/** Number of times that the map of `image` is halved until it is 4x4. Throws RangeError for sizes that are no power of 2. */
export function halvings({ height, width }: ImageShape): number {
  const count = Math.log2(height) - 2;
  if (height !== width || !Number.isInteger(count) || count < 1) {
    throw new RangeError(
      `No network for images of ${height}x${width}: known sizes are 8x8, 16x16, 32x32, 64x64, ..., for xie2021 also 28x28`,
    );
  }
  return count;
}

type Size = Omit<EnergyHyper, "nets">;

/** The strided convolutions of CoopVAEBM's code for images of the shape `image`; leaky ReLU. */
function stridedEnergy(image: ImageShape, { width, inputs }: Size): ImageEnergy {
  return sumOf({
    name: "energy",
    layers: isOf28(image)
      ? energyLayers28({ inputs, outputs: SUMMED_OUTPUTS, width })
      : energyLayers(image, { inputs, width }),
    activation: "leaky_relu",
    output: "identity",
    init: XIE2021_DEVIATION,
  });
}

/** conv3s1 64, conv4s2 128, 256, 256 ..., conv4 of the whole 4x4 map. CoopVAEBM's code for CIFAR-10. */
function energyLayers(image: ImageShape, { width, inputs }: Size): ConvLayer[] {
  const layers = stridedLayers(image, { inputs, channels: stridedChannels(image, width) });
  const last = layers[layers.length - 1];
  const head = convolution("conv", [last.outputSize, 1, 0], {
    inputs: last.outputs,
    outputs: 1,
    inputSize: last.outputSize,
  });
  return [...layers, head];
}

/** Channels of the strided network: 64, 128, then 256 as often as the map is halved. */
function stridedChannels(image: ImageShape, width: number): number[] {
  return [64, 128, ...Array(halvings(image) - 1).fill(256)].map((c) => scaled(c, width));
}

/** conv3s1 to `channels[0]`, then conv4s2 to each of the others: the map is halved as often. */
export function stridedLayers(
  image: ImageShape,
  { inputs, channels }: { readonly inputs: number; readonly channels: readonly number[] },
): ConvLayer[] {
  const layers: ConvLayer[] = [];
  for (const [i, outputs] of channels.entries()) {
    const before = layers[i - 1];
    layers.push(convolution("conv", i === 0 ? [3, 1, 1] : [4, 2, 1], {
      inputs: before?.outputs ?? inputs,
      outputs,
      inputSize: before?.outputSize ?? image.height,
    }));
  }
  return layers;
}

/** The energy whose f is the sum of the outputs of `net`. */
function sumOf(net: Net): ImageEnergy {
  return {
    macs: macCount(net.layers),
    init: (noise) => ({ net: initNet(net, noise) }),
    energy: ({ net: params }, x) => minusSum(applyNet(net, { params, x })),
  };
}

/** -f for the summed `outputs` [m, ...] of a network: [m]. */
function minusSum(outputs: tf.Tensor): tf.Tensor1D {
  return tf.neg(tf.sum<tf.Tensor1D>(tf.reshape(outputs, [outputs.shape[0], -1]), 1));
}

/** Channels of the residual network's first layer in CoopFlow's code; each block doubles them, up to 8 times. */
const RESIDUAL_CHANNELS = 128;

/** conv3 c; blocks of [conv3 c, conv3 2c] + [conv3 2c] and average pooling to 4x4; conv4 to 100 outputs; swish. CoopFlow's code. */
function residualEnergy(image: ImageShape, { width, inputs }: Size): ImageEnergy {
  const first = scaled(RESIDUAL_CHANNELS, width);
  const stem = swishNet("stem", [conv3(inputs, first, image.height)]);
  const blocks = Array.from({ length: halvings(image) }, (_, i) => {
    const [from, to] = [i, i + 1].map((k) => first * 2 ** Math.min(k, 3));
    const size = image.height / 2 ** i;
    return {
      size,
      channels: to,
      main: swishNet(`main${i}`, [conv3(from, from, size), conv3(from, to, size)]),
      skip: swishNet(`skip${i}`, [conv3(from, to, size)]),
    };
  });
  const { channels } = blocks[blocks.length - 1];
  const head: Net = {
    ...swishNet("head", [
      convolution("conv", [4, 1, 0], { inputs: channels, outputs: SUMMED_OUTPUTS, inputSize: 4 }),
    ]),
    output: "identity",
  };
  const nets = [stem, ...blocks.flatMap(({ main, skip }) => [main, skip]), head];
  return {
    macs: nets.reduce((sum, { layers }) => sum + macCount(layers), 0),
    init: (noise) => Object.fromEntries(nets.map((net) => [net.name, initNet(net, noise)])),
    energy(params, x) {
      const apply = (net: Net, x: tf.Tensor) => applyNet(net, { params: params[net.name], x });
      const last = blocks.reduce(
        (h, { main, skip }) => halved(tf.add(apply(main, h), apply(skip, h))),
        apply(stem, x),
      );
      return minusSum(apply(head, last));
    },
  };
}

const conv3 = (inputs: number, outputs: number, inputSize: number) =>
  convolution("conv", [3, 1, 1], { inputs, outputs, inputSize });

// Deviation: Initial weights of CoopFlow's energy are normal with the variance of PyTorch's uniform default, and its biases are 0
const swishNet = (name: string, layers: readonly ConvLayer[]): Net => ({
  name,
  layers,
  activation: "swish",
  output: "swish",
  init: "torch",
});

/** Means over squares of 2x2: [m, size, size, c] to [m, size / 2, size / 2, c]. */
export function halved(x: tf.Tensor): tf.Tensor {
  const [m, height, width, channels] = x.shape;
  return tf.mean(tf.reshape(x, [m, height / 2, 2, width / 2, 2, channels]), [2, 4]);
}

/** f(x) = theta . (x, x^2): an exponential family, whose maximum likelihood matches first and second moments. */
function momentsEnergy({ height, width }: ImageShape, inputs: number): ImageEnergy {
  const net: Net = {
    name: "moments",
    layers: [{ kind: "linear", inputs: 2 * height * width * inputs, outputs: 1 }],
    activation: "identity",
    output: "identity",
    init: XIE2021_DEVIATION,
  };
  return {
    macs: macCount(net.layers),
    init: (noise) => ({ net: initNet(net, noise) }),
    energy({ net: params }, x) {
      const flat = tf.reshape(x, [x.shape[0], -1]);
      return minusSum(applyNet(net, { params, x: tf.concat([flat, tf.square(flat)], 1) }));
    },
  };
}

/**
 * mean U(x) - mean U(x-) + penalty (mean U(x)^2 + mean U(x-)^2) for the energies [m] of data x and of samples x-, and both means.
 * The gradient of the first two terms is that of -log p(x) in the mean, if x- are samples of the model.
 */
export function contrastiveLoss(
  { data, samples, penalty }: {
    readonly data: tf.Tensor1D;
    readonly samples: tf.Tensor1D;
    readonly penalty: number;
  },
): Readonly<Record<"loss" | "energyData" | "energySamples", tf.Scalar>> {
  const energyData = tf.mean<tf.Scalar>(data);
  const energySamples = tf.mean<tf.Scalar>(samples);
  const contrast = tf.sub<tf.Scalar>(energyData, energySamples);
  if (penalty === 0) return { loss: contrast, energyData, energySamples };
  const squares = tf.add(tf.mean(tf.square(data)), tf.mean(tf.square(samples)));
  return { loss: tf.add(contrast, tf.mul(squares, penalty)), energyData, energySamples };
}

/** The largest loss of an energy in CoopFlow's code for SVHN, which skips a step beyond it; here the run stops as diverged. */
const LARGEST_ENERGY = 5e6;

/** `Model.limits` of the methods that learn an energy of images. */
export const ENERGY_LIMITS: Readonly<Record<string, number>> = {
  energyData: LARGEST_ENERGY,
  energySamples: LARGEST_ENERGY,
};

/** Deviations of the methods that may use the networks above. */
export const ENERGY_DEVIATIONS: readonly string[] = [
  "Energies are networks of CoopFlow or CoopVAEBM for every method that learns one, also in place of IGEBM's ResNet with spectral normalisation: rows differ in the sampler alone",
  "Initial weights of CoopFlow's energy are normal with the variance of PyTorch's uniform default, and its biases are 0",
];
