/**
 * Networks of the methods: Table 2 of the Langevin-autoencoder paper (`table2`), the generator and the
 * energy of LEBM's code (`pang2020`), the perceptrons of the NeurIPS version (`mlp`), or no hidden layer at all
 * (`linear`: the model is then probabilistic PCA, whose answers are closed-form).
 *
 * @module
 */
import type { ImageShape } from "../../harness/core/types.ts";
import type { ConvLayer, Layer, LinearLayer, Net } from "./nets.ts";
import { choice } from "./checks.ts";

/** Values of the hyperparameter `nets`. */
export const NETS = ["table2", "pang2020", "mlp", "linear"] as const;
export type Nets = typeof NETS[number];

/** Hyperparameters of the networks. */
export type NetHyper = Readonly<{
  latentDim: number;
  featureDim: number;
  width: number;
  nets: string;
}>;

export const NET_DEFAULTS = {
  latentDim: 128, // 128 for CIFAR-10 and CelebA-HQ, 64 for SVHN: paper, F.3
  featureDim: 1024, // nh of the NeurIPS code; "n" of Table 2 is not defined, and as in Theorem 1 it would be the number of data: d = n
  width: 1, // factor on channels and hidden widths; 1 is the paper's
  nets: "table2",
};

/** Deviations of all methods from Table 2. */
export const NET_DEVIATIONS: readonly string[] = [
  "Padding 2, not 0, in the decoder's deconvolutions of stride 2: as printed they give 60x60 for 32x32",
  "One more stage 4x2x2x512 in encoder and decoder at 64x64: as printed the encoder ends at 5x5, not 1x1",
  "Table 2's decoder ends in tanh, as LEBM's does: the paper gives no range, and without one fast learning makes Langevin chains diverge",
  'featureDim stands for the "n" of Conv6x1x0xn and Linear n, which Table 2 does not define: in Theorem 1 n is the number of data, so that its literal reading is a feature for each training image, 50,000 on CIFAR-10; with fewer, amortized chains are not independent',
];

/** Channels of Table 2's stages for 32x32 images, outermost first. */
const CHANNELS = [64, 128, 256, 512] as const;
/** Size of the feature map between the stages and the 6x6 kernel. */
const CORE_SIZE = 6;
/** Width of the hidden layers of the energy and of the latent sampler network in Table 2. */
const HIDDEN = 2048;
/** ndf of LEBM's energy net, and nh of the NeurIPS version. */
const PANG_HIDDEN = 200;
const MLP_HIDDEN = 1024;
/**
 * Decoder and encoder start with small outputs. The decoder's: with unit outputs the curvature of the energy,
 * |J|^2 / sigma^2, times the published chains' step size would start above 2, where Langevin dynamics is unstable.
 * The encoder's: means of unit size would start at a divergence of latentDim / 2 from the prior.
 */
const OUTPUT_GAIN = 0.1;

/** `channels` times `width`, at least 1. */
export function scaled(channels: number, width: number): number {
  return Math.max(1, Math.round(channels * width));
}

/**
 * Channels of the stages for images of `size`: each halves the map, the last is 6x6. Sizes 32 and 64 are the
 * paper's; 8 and 16 leave out inner stages, for tests.
 */
function stageChannels(size: number, width: number): number[] {
  const stages: Readonly<Record<number, readonly number[]>> = {
    8: CHANNELS.slice(0, 2),
    16: CHANNELS.slice(0, 3),
    32: CHANNELS,
    // Deviation: One more stage 4x2x2x512 in encoder and decoder at 64x64: as printed the encoder ends at 5x5, not 1x1
    64: [...CHANNELS, 512],
  };
  const channels = stages[size];
  if (!channels) {
    throw new RangeError(
      `No network for images of ${size}x${size}: known sizes are ${
        Object.keys(stages).join(", ")
      }; nets=mlp takes every size`,
    );
  }
  return channels.map((c) => scaled(c, width));
}

/** Throws RangeError if `nets` has no network for `image`. */
export function checkNets(image: ImageShape, hyper: NetHyper): void {
  const nets = choice("nets", hyper.nets, NETS);
  if (nets === "mlp" || nets === "linear") return;
  if (image.height !== image.width) {
    throw new RangeError(
      `No network for images of ${image.height}x${image.width}: convolutions need square images`,
    );
  }
  stageChannels(image.height, hyper.width);
  if (nets === "pang2020" && image.height < 16) {
    throw new RangeError(
      `No network pang2020 for images of ${image.height}x${image.width}: known sizes are 16, 32, 64`,
    );
  }
}

/** A convolution, or its transpose, of `kernel`, `stride` and `pad` on square maps. */
export function convolution(
  kind: "conv" | "deconv",
  [kernel, stride, pad]: readonly [number, number, number],
  { inputs, outputs, inputSize }: { inputs: number; outputs: number; inputSize: number },
): ConvLayer {
  const outputSize = kind === "conv"
    ? Math.floor((inputSize + 2 * pad - kernel) / stride) + 1
    : (inputSize - 1) * stride - 2 * pad + kernel;
  return { kind, kernel, stride, pad, inputs, outputs, inputSize, outputSize };
}

const linear = (inputs: number, outputs: number): LinearLayer => ({
  kind: "linear",
  inputs,
  outputs,
});

const pixelCount = ({ height, width, channels }: ImageShape) => height * width * channels;

/** Layers from an image to `featureDim` features: Table 2's encoder without its last line. */
export function featureLayers(image: ImageShape, hyper: NetHyper): Layer[] {
  if (hyper.nets === "linear") return [];
  if (hyper.nets === "mlp") return mlpLayers(pixelCount(image), hyper);
  const layers: ConvLayer[] = [];
  let [inputs, inputSize] = [image.channels, image.height];
  const push = (shape: readonly [number, number, number], outputs: number) => {
    const layer = convolution("conv", shape, { inputs, outputs, inputSize });
    layers.push(layer);
    [inputs, inputSize] = [outputs, layer.outputSize];
  };
  stageChannels(image.height, hyper.width).forEach((c, i) =>
    push(i === 0 ? [3, 1, 2] : [4, 2, 2], c)
  );
  // Deviation: featureDim stands for the "n" of Conv6x1x0xn and Linear n, which Table 2 does not define: in Theorem 1 n is the number of data, so that its literal reading is a feature for each training image, 50,000 on CIFAR-10; with fewer, amortized chains are not independent
  push([CORE_SIZE, 1, 0], scaled(hyper.featureDim, hyper.width));
  return layers;
}

/** Three hidden layers of nh = 1024 with layer normalisation, from `inputs` (methods of the NeurIPS version). */
function mlpLayers(inputs: number, { width }: NetHyper): LinearLayer[] {
  const hidden = scaled(MLP_HIDDEN, width);
  return [inputs, hidden, hidden].map((d) => ({ ...linear(d, hidden), norm: true }));
}

/** Number of inputs of an encoder's last layer. */
export function featureCount(image: ImageShape, hyper: NetHyper): number {
  return featureLayers(image, hyper).at(-1)?.outputs ?? pixelCount(image);
}

const common = (nets: string) =>
  nets === "mlp"
    ? { activation: "relu", init: "orthogonal" } as const
    : { activation: "swish", init: "he" } as const;

/** The feature extractor g: images [m, h, w, c] to [m, featureCount]. */
export function featureNet(image: ImageShape, hyper: NetHyper): Net {
  const { activation, init } = common(hyper.nets);
  return {
    name: "features",
    layers: featureLayers(image, hyper),
    activation,
    output: activation,
    init,
  };
}

/** An encoder: images [m, h, w, c] to [m, outputs]. Table 2. */
export function encoderNet(
  image: ImageShape,
  hyper: NetHyper,
  outputs: number,
): Net {
  const layers = [...featureLayers(image, hyper), linear(featureCount(image, hyper), outputs)];
  return {
    name: "encoder",
    layers,
    ...common(hyper.nets),
    output: "identity",
    outputGain: OUTPUT_GAIN,
  };
}

/** The decoder: latents [m, latentDim] to images in [-1, 1]; those of `mlp` and `linear` may exceed the range. */
export function decoderNet(image: ImageShape, hyper: NetHyper): Net {
  const { latentDim, nets } = hyper;
  const name = "decoder";
  switch (choice("nets", nets, NETS)) {
    case "linear":
      return {
        name,
        layers: [linear(latentDim, pixelCount(image))],
        ...common(nets),
        output: "identity",
        outputGain: OUTPUT_GAIN,
      };
    case "mlp": {
      const hidden = mlpLayers(latentDim, hyper);
      return {
        name,
        layers: [...hidden, linear(hidden[0].outputs, pixelCount(image))],
        ...common(nets),
        output: "identity",
      };
    }
    case "pang2020":
      return {
        name,
        layers: pangLayers(image, hyper),
        activation: "leaky_relu",
        output: "tanh",
        init: "xavier",
      };
    case "table2":
      return {
        name,
        layers: table2Decoder(image, hyper),
        ...common(nets),
        // Deviation: Table 2's decoder ends in tanh, as LEBM's does: the paper gives no range, and without one fast learning makes Langevin chains diverge
        output: "tanh",
        outputGain: OUTPUT_GAIN,
      };
  }
}

/** Table 2, Decoder: the mirror image of the encoder. */
function table2Decoder(image: ImageShape, { latentDim, width }: NetHyper): ConvLayer[] {
  const layers: ConvLayer[] = [];
  let [inputs, inputSize] = [latentDim, 1];
  stageChannels(image.height, width).toReversed().forEach((outputs, i) => {
    // Deviation: Padding 2, not 0, in the decoder's deconvolutions of stride 2: as printed they give 60x60 for 32x32
    const shape = i === 0 ? [CORE_SIZE, 1, 0] as const : [4, 2, 2] as const;
    const layer = convolution("deconv", shape, { inputs, outputs, inputSize });
    layers.push(layer);
    [inputs, inputSize] = [outputs, layer.outputSize];
  });
  layers.push(convolution("conv", [3, 1, 0], { inputs, outputs: image.channels, inputSize }));
  return layers;
}

/** LEBM's generator for SVHN (ngf 64): 1 -> 4 -> 8 -> 16 -> 32, one more stage of 64 channels for 64x64. */
function pangLayers(image: ImageShape, { latentDim, width }: NetHyper): ConvLayer[] {
  const layers: ConvLayer[] = [];
  const stages = Math.log2(image.height) - 2;
  let [inputs, inputSize] = [latentDim, 1];
  for (let i = 0; i <= stages; i++) {
    const outputs = i === stages ? image.channels : scaled(512 / 2 ** i, width);
    const shape = i === 0 ? [4, 1, 0] as const : [4, 2, 1] as const;
    const layer = convolution("deconv", shape, { inputs, outputs, inputSize });
    layers.push(layer);
    [inputs, inputSize] = [outputs, layer.outputSize];
  }
  return layers;
}

/** The energy: latents [m, latentDim] to [m, 1]. Table 2, or LEBM's code. */
export function energyNet({ latentDim, width, nets }: NetHyper): Net {
  const name = "energy";
  if (nets === "linear") {
    return { name, layers: [linear(latentDim, 1)], ...common(nets), output: "identity" };
  }
  if (nets === "pang2020") {
    const hidden = scaled(PANG_HIDDEN, width);
    return {
      name,
      layers: [linear(latentDim, hidden), linear(hidden, hidden), linear(hidden, 1)],
      activation: "leaky_relu",
      output: "identity",
      init: "xavier",
    };
  }
  const hidden = scaled(HIDDEN, width);
  return {
    name,
    layers: [linear(latentDim, hidden), linear(hidden, 1)],
    activation: "swish",
    output: "identity",
    init: "he",
  };
}

/** The feature extractor h of the latent sampler network: inputs [m, inputDim] to [m, samplerFeatureCount]. Table 2. */
export function samplerNet(inputDim: number, hyper: NetHyper): Net {
  const hidden = scaled(HIDDEN, hyper.width);
  const layers = hyper.nets === "linear"
    ? []
    : [linear(inputDim, hidden), linear(hidden, scaled(hyper.featureDim, hyper.width))];
  return { name: "sampler", layers, activation: "swish", output: "swish", init: "he" };
}

/** Number of inputs of the latent sampler network's last layer. */
export function samplerFeatureCount(inputDim: number, hyper: NetHyper): number {
  return samplerNet(inputDim, hyper).layers.at(-1)?.outputs ?? inputDim;
}
