/**
 * The generator with several layers of latents of short-run inference (Nijkamp et al. 2020; train_celeba_five_layers.py of their
 * code). All layers are functions of noise eps^l ~ N(0, I), which is what the latents [m, latentDim] hold, top first:
 * z^1 = eps^1, and z^(l+1) = mean(h^l) + std(h^l) * eps^(l+1), where h^l are maps made of z^l and of h^(l-1).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ImageShape, Noise } from "../../harness/core/types.ts";
import { scaled } from "./architectures.ts";
import { gelu } from "./gelu.ts";
import {
  applyLayer,
  type ConvLayer,
  initNet,
  type Layer,
  type LinearLayer,
  macCount,
  type NetParams,
} from "./nets.ts";
import type { Generator } from "./observation_model.ts";

/** Shares of latentDim by layer, top first: five layers are the published 64, 64, 64, 96 and 128 of 416, three are ours. */
const SHARES: Readonly<Record<number, readonly number[]>> = {
  3: [1, 1, 2],
  5: [2, 2, 2, 3, 4],
};

/** Channels of the maps h, and of the maps that a projection starts with, in the released code. */
const CHANNELS = 64;
const PROJECTED = 4;

/** Dimensions of the layers of latents, top first. Throws RangeError for counts of layers that are not known. */
export function layerDims(latentDim: number, layerCount: number): number[] {
  const shares = SHARES[layerCount];
  if (shares === undefined) {
    const known = [1, ...Object.keys(SHARES)].join(", ");
    throw new RangeError(`layerCount must be one of ${known}, got ${layerCount}`);
  }
  if (latentDim < layerCount) {
    throw new RangeError(
      `latentDim must be >= ${layerCount} for ${layerCount} layers, got ${latentDim}`,
    );
  }
  const total = shares.reduce((a, b) => a + b, 0);
  let [sum, reached] = [0, 0];
  return shares.map((share) => {
    sum += share;
    const end = Math.round(latentDim * sum / total);
    const dim = end - reached;
    reached = end;
    return dim;
  });
}

/** The layers of the network between z^l and h^l, and from h^l to the mean and the log variance of z^(l+1). */
interface Block {
  readonly project: LinearLayer;
  readonly spread: ConvLayer;
  readonly first: ConvLayer;
  readonly second: ConvLayer;
  /** Absent below the last latents. */
  readonly heads?: Readonly<Record<"mean" | "variance", readonly [ConvLayer, LinearLayer]>>;
}

/**
 * The generator for `image` with `layerCount` layers of latents, whose maps have half the size of the image. Throws RangeError
 * when there is none.
 *
 * Deviation: GELU is the form with tanh, weights start normal with PyTorch's default variance, biases at zero, and the projections' transposed convolution is a convolution, the same for a stride of 1, with a bias (short-run inference's code: erf, uniform, no bias)
 */
export function topDownGenerator(
  image: ImageShape,
  { latentDim, layerCount, width }: Readonly<
    Record<"latentDim" | "layerCount" | "width", number>
  >,
): Generator {
  const dims = layerDims(latentDim, layerCount);
  const size = image.height / 2;
  const channels = scaled(CHANNELS, width);
  const onMaps = (kernel: number, inputs: number, outputs: number): ConvLayer => ({
    kind: "conv",
    kernel,
    stride: 1,
    pad: (kernel - 1) / 2,
    inputs,
    outputs,
    inputSize: size,
    outputSize: size,
  });
  // 5x5 without padding in the released code; maps of 4x4, of the images of tests, are smaller than that.
  const headKernel = size < 8 ? 3 : 5;
  const headSize = size - headKernel + 1;
  const head = (dim: number): readonly [ConvLayer, LinearLayer] => [
    { ...onMaps(headKernel, channels, dim), pad: 0, outputSize: headSize },
    { kind: "linear", inputs: dim * headSize ** 2, outputs: dim },
  ];
  const blocks = dims.map((dim, l): Block => ({
    project: { kind: "linear", inputs: dim, outputs: PROJECTED * size ** 2 },
    spread: onMaps(5, PROJECTED, channels),
    first: onMaps(5, channels, channels),
    second: onMaps(3, channels, channels),
    ...l + 1 < dims.length && { heads: { mean: head(dims[l + 1]), variance: head(dims[l + 1]) } },
  }));
  const [last0, last1] = [onMaps(5, channels, channels), onMaps(3, channels, channels)];
  const output: ConvLayer = {
    kind: "deconv",
    kernel: 4,
    stride: 2,
    pad: 1,
    inputs: channels,
    outputs: image.channels,
    inputSize: size,
    outputSize: image.height,
  };
  const layers: Readonly<Record<string, Layer>> = {
    ...Object.fromEntries(blocks.flatMap((block, l) => namedLayers(block, l))),
    lastFirst: last0,
    lastSecond: last1,
    output,
  };

  const through = (params: NetParams, name: string, x: tf.Tensor) =>
    applyLayer(layers[name], params[name], x);
  const residual = (params: NetParams, names: readonly [string, string], h: tf.Tensor) =>
    tf.add(gelu(through(params, names[1], gelu(through(params, names[0], h)))), h);
  const branch = (params: NetParams, name: string, h: tf.Tensor) =>
    through(params, `${name}Out`, gelu(through(params, `${name}Map`, h)));

  return {
    init: (noise) =>
      Object.fromEntries(
        Object.entries(layers).map(([name, layer]) => [name, initLayer(name, layer, noise)]),
      ),
    mean: (params, latents) => {
      const m = latents.shape[0];
      let [from, above]: [number, tf.Tensor | undefined] = [0, undefined];
      dims.forEach((dim, l) => {
        const noise = tf.slice(latents, [0, from], [m, dim]);
        from += dim;
        const z = above === undefined ? noise : tf.add(
          branch(params, `mean${l - 1}`, above),
          tf.mul(deviation(branch(params, `variance${l - 1}`, above)), noise),
        );
        const projected = gelu(through(params, `project${l}`, z));
        const maps = gelu(
          through(params, `spread${l}`, tf.reshape(projected, [m, size, size, PROJECTED])),
        );
        const h = residual(params, [`first${l}`, `second${l}`], maps);
        above = above === undefined ? h : tf.add(h, above);
      });
      const h = residual(params, ["lastFirst", "lastSecond"], above as unknown as tf.Tensor);
      return tf.tanh(through(params, "output", h));
    },
    macs: macCount(Object.values(layers)),
  };
}

/** The layers of `block`, number l, by the names of their parameters. */
function namedLayers({ project, spread, first, second, heads }: Block, l: number) {
  const named: [string, Layer][] = [
    [`project${l}`, project],
    [`spread${l}`, spread],
    [`first${l}`, first],
    [`second${l}`, second],
  ];
  for (const [name, [map, out]] of Object.entries(heads ?? {})) {
    named.push([`${name}${l}Map`, map], [`${name}${l}Out`, out]);
  }
  return named;
}

/** The largest log variance of a layer of latents. */
const MOST_LOG_VARIANCE = 10;

/** exp(v / 2) with v = softplus of `raw` + 1e-8, at most 10: never below 1, as in the released code. */
function deviation(raw: tf.Tensor): tf.Tensor {
  const logVariance = tf.clipByValue(tf.add(tf.softplus(raw), 1e-8), 0, MOST_LOG_VARIANCE);
  return tf.exp(tf.mul(logVariance, 0.5));
}

/** Weights of variance 1 / (3 fan in), as PyTorch's default, which the released code starts from. */
function initLayer(name: string, layer: Layer, noise: Noise) {
  const net = {
    name: `decoder/${name}`,
    layers: [layer],
    init: "he",
    outputGain: 1 / Math.sqrt(3),
  };
  return initNet({ ...net, init: "he", activation: "identity", output: "identity" }, noise)[0];
}
