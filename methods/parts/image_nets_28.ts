/**
 * The layers of CoopVAEBM's networks for MNIST and Fashion-MNIST, images of 28x28 (Xie, Zheng and Li 2021; `mnist` in
 * model/modules.py of their code). Maps are 28, 14 and 7 wide.
 *
 * @module
 */
import type { ImageShape } from "../../harness/core/types.ts";
import { scaled } from "./architectures.ts";
import type { ConvLayer, Layer } from "./nets.ts";

/** Whether the code's networks for MNIST are those for images of the shape `image`. */
export function isOf28({ height, width }: ImageShape): boolean {
  return height === 28 && width === 28;
}

/** Share of the outputs that the encoder's dropout keeps. */
const KEEP = 0.8;

/** Channels at both ends of a network, and the factor on those between. */
export interface Ends {
  readonly inputs: number;
  readonly outputs: number;
  readonly width: number;
}

/** conv5s2 64, conv3s2 128, conv3s1 256, and conv7 of the whole map to `outputs`. */
export function energyLayers28({ inputs, outputs, width }: Ends): ConvLayer[] {
  const [a, b, c] = [64, 128, 256].map((channels) => scaled(channels, width));
  return [
    layer("conv", [5, 2, "same"], { sizes: [28, 14], channels: [inputs, a] }),
    layer("conv", [3, 2, "same"], { sizes: [14, 7], channels: [a, b] }),
    layer("conv", [3, 1, "same"], { sizes: [7, 7], channels: [b, c] }),
    layer("conv", [7, 1, 0], { sizes: [7, 1], channels: [c, outputs] }),
  ];
}

/** conv4s2 64, conv4s2 64 and conv4s1 64, each with dropout, and a fully connected layer to `outputs`. */
export function encoderLayers28({ inputs, outputs, width }: Ends): Layer[] {
  const c = scaled(64, width);
  const convolutions = [
    layer("conv", [4, 2, "same"], { sizes: [28, 14], channels: [inputs, c] }),
    layer("conv", [4, 2, "same"], { sizes: [14, 7], channels: [c, c] }),
    layer("conv", [4, 1, "same"], { sizes: [7, 7], channels: [c, c] }),
  ];
  return [
    ...convolutions.map((layer) => ({ ...layer, keep: KEEP })),
    { kind: "linear", inputs: 7 * 7 * c, outputs },
  ];
}

/** deconv4 256 of a single place, deconv3s2 128, deconv3s2 64, all three with batch normalisation if `batchNorm`, and deconv3s2 to `outputs`. */
export function generatorLayers28(
  { inputs, outputs, width, batchNorm }: Ends & { readonly batchNorm: boolean },
): ConvLayer[] {
  const [a, b, c] = [256, 128, 64].map((channels) => scaled(channels, width));
  const inner = [
    layer("deconv", [4, 1, 0], { sizes: [1, 4], channels: [inputs, a] }),
    layer("deconv", [3, 2, "same"], { sizes: [4, 7], channels: [a, b] }),
    layer("deconv", [3, 2, "same"], { sizes: [7, 14], channels: [b, c] }),
  ];
  return [
    ...inner.map((layer) => batchNorm ? { ...layer, batchNorm } : layer),
    layer("deconv", [3, 2, "same"], { sizes: [14, 28], channels: [c, outputs] }),
  ];
}

function layer(
  kind: ConvLayer["kind"],
  [kernel, stride, pad]: readonly [number, number, ConvLayer["pad"]],
  { sizes: [inputSize, outputSize], channels: [inputs, outputs] }: {
    readonly sizes: readonly [number, number];
    readonly channels: readonly [number, number];
  },
): ConvLayer {
  return { kind, kernel, stride, pad, inputs, outputs, inputSize, outputSize };
}
