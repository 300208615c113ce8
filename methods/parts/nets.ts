/**
 * Networks as lists of layers. `Conv4x2x2x128` of Table 2 of the paper is `{ kind: "conv", kernel: 4, stride: 2, pad: 2,
 * outputs: 128 }`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Noise } from "../../harness/core/types.ts";
import { gelu } from "./gelu.ts";

/** A square convolution, or its transpose (`deconv`), on maps of `inputSize`^2 to maps of `outputSize`^2. */
export interface ConvLayer {
  readonly kind: "conv" | "deconv";
  readonly kernel: number;
  readonly stride: number;
  /** Rows of zeros on each side; `same` as in TensorFlow, which may have one row more on the far side. */
  readonly pad: number | "same";
  readonly inputs: number;
  readonly outputs: number;
  readonly inputSize: number;
  readonly outputSize: number;
  /** Batch normalisation of its outputs before the bias, by the moments of the batch, without a gain. */
  readonly batchNorm?: boolean;
  /** Share of its outputs that dropout keeps, after the activation; absent for a layer without dropout. */
  readonly keep?: number;
}

/** A fully connected layer, with layer normalisation of its outputs if `norm`. */
export interface LinearLayer {
  readonly kind: "linear";
  readonly inputs: number;
  readonly outputs: number;
  readonly norm?: boolean;
}

export type Layer = ConvLayer | LinearLayer;

/** Activation after a layer. */
export type Activation = "swish" | "leaky_relu" | "relu" | "gelu" | "tanh" | "identity";

/**
 * Initialization of weights: `he` keeps the variance through the activation; `xavier` as in LEBM's code; `orthogonal` as in
 * LAE's; `torch` has the variance of PyTorch's default, 1 / (3 fan in).
 */
export type Initialiser = "he" | "xavier" | "orthogonal" | "torch";

/** A feed-forward network. */
export interface Net {
  /** Names the random stream of its initial weights: `decoder`. */
  readonly name: string;
  readonly layers: readonly Layer[];
  /** Activation after every layer except the last. */
  readonly activation: Activation;
  /** Activation after the last layer. */
  readonly output: Activation;
  /** A number is the standard deviation of every weight. */
  readonly init: Initialiser | number;
  /** Factor on the initial weights of the last layer; 1 by default. */
  readonly outputGain?: number;
}

/** Parameters of a layer: weight and bias, and with layer normalisation a gain and a shift. */
export type LayerParams = {
  readonly weight: tf.Tensor;
  readonly bias: tf.Tensor;
  readonly gain?: tf.Tensor;
  readonly shift?: tf.Tensor;
};

/** Parameters of a network by the number of the layer, from 0. */
export type NetParams = { readonly [layer: string]: LayerParams };

/** x * sigmoid(x) (Ramachandran et al. 2017). */
export function swish<T extends tf.Tensor>(x: T): T {
  return tf.mul(x, tf.sigmoid(x));
}

/** Slope of the leaky ReLU at negative inputs, as in LEBM's code. */
const LEAK = 0.2;

function activate(x: tf.Tensor, activation: Activation): tf.Tensor {
  switch (activation) {
    case "swish":
      return swish(x);
    case "leaky_relu":
      return tf.leakyRelu(x, LEAK);
    case "relu":
      return tf.relu(x);
    case "gelu":
      return gelu(x);
    case "tanh":
      return tf.tanh(x);
    case "identity":
      return x;
  }
}

/**
 * The outputs of `net` for `x`: [m, inputs] or [m, size, size, inputs] to [m, outputs] or [m, size, size, outputs], as the
 * last layer says. A network without layers has no parameters and returns `x`. One with dropout draws from `noise`, and throws
 * TypeError without it.
 */
export function applyNet(
  net: Net,
  { params = {}, x, noise }: {
    readonly params?: NetParams;
    readonly x: tf.Tensor;
    readonly noise?: Noise;
  },
): tf.Tensor {
  return net.layers.reduce((h, layer, i) => {
    const y = applyLayer(layer, params[i], h);
    const active = activate(y, i < net.layers.length - 1 ? net.activation : net.output);
    if (layer.kind === "linear" || layer.keep === undefined) return active;
    if (noise === undefined) {
      throw new TypeError(`Dropout in the network "${net.name}" needs noise`);
    }
    return dropout(active, { keep: layer.keep, noise: noise.split(net.name, i) });
  }, x);
}

/** Keeps each number of `x` with probability `keep`, divided by it, and sets the others to 0 (Srivastava et al. 2014). */
function dropout(x: tf.Tensor, { keep, noise }: { keep: number; noise: Noise }): tf.Tensor {
  const isKept = tf.less(noise.uniform(x.shape), keep);
  return tf.where(isKept, tf.div(x, keep), tf.zerosLike(x));
}

/** The outputs of one layer, without activation. */
export function applyLayer(layer: Layer, params: LayerParams, x: tf.Tensor): tf.Tensor {
  const { weight, bias, gain, shift } = params;
  const m = x.shape[0];
  if (layer.kind === "linear") {
    const rows: tf.Tensor2D = tf.reshape(x, [m, layer.inputs]);
    const y = tf.add(tf.matMul(rows, weight), bias);
    return gain && shift ? layerNorm(y, { gain, shift }) : y;
  }
  const { inputs, outputs, inputSize, outputSize, stride, pad } = layer;
  const maps: tf.Tensor4D = tf.reshape(x, [m, inputSize, inputSize, inputs]);
  const y = layer.kind === "conv"
    ? tf.conv2d(maps, weight as tf.Tensor4D, stride, pad)
    : tf.conv2dTranspose(
      maps,
      weight as tf.Tensor4D,
      [m, outputSize, outputSize, outputs],
      stride,
      pad,
    );
  return tf.add(layer.batchNorm ? batchNorm(y) : y, bias);
}

/** Epsilon of batch normalisation in tf.contrib.layers. */
const BATCH_EPSILON = 1e-3;

/** Batch normalisation of each channel of `x` [m, size, size, c] (Ioffe and Szegedy 2015), also at test time. */
function batchNorm(x: tf.Tensor): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, [0, 1, 2], true));
  const variance = tf.mean(tf.square(centred), [0, 1, 2], true);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, BATCH_EPSILON)));
}

/** Layer normalisation over the last axis (Ba et al. 2016), epsilon as in PyTorch. */
function layerNorm(x: tf.Tensor, { gain, shift }: { gain: tf.Tensor; shift: tf.Tensor }) {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5))), gain), shift);
}

/** Shape of a layer's weights: [kernel, kernel, in, out], [kernel, kernel, out, in] for `deconv`, [in, out] for `linear`. */
export function weightShape(layer: Layer): number[] {
  const { inputs, outputs } = layer;
  switch (layer.kind) {
    case "conv":
      return [layer.kernel, layer.kernel, inputs, outputs];
    case "deconv":
      return [layer.kernel, layer.kernel, outputs, inputs];
    case "linear":
      return [inputs, outputs];
  }
}

/** Weights, biases, gains and shifts of `layers`. */
export function parameterCount(layers: readonly Layer[]): number {
  return layers.reduce((sum, layer) => {
    const vectors = layer.kind === "linear" && layer.norm ? 3 : 1;
    return sum + weightShape(layer).reduce((a, b) => a * b, 1) + vectors * layer.outputs;
  }, 0);
}

/**
 * Multiply-accumulates of one forward pass for one image. A transposed convolution is counted at its input
 * size including the cropped border, like the convolution whose gradient it is (implementations without the border do fewer).
 */
export function macCount(layers: readonly Layer[]): number {
  return layers.reduce((sum, layer) => {
    const weights = weightShape(layer).reduce((a, b) => a * b, 1);
    switch (layer.kind) {
      case "conv":
        return sum + weights * layer.outputSize ** 2;
      case "deconv":
        return sum + weights * layer.inputSize ** 2;
      case "linear":
        return sum + weights;
    }
  }, 0);
}

/** Initial parameters of `net`; biases and shifts zero, gains one. */
export function initNet(net: Net, noise: Noise): NetParams {
  return Object.fromEntries(net.layers.map((_, i) => [i, initLayer(net, i, noise)]));
}

function initLayer(net: Net, i: number, noise: Noise): LayerParams {
  const layer = net.layers[i];
  const last = i === net.layers.length - 1;
  const draw = noise.split(net.name, i).normal(weightShape(layer));
  const gain = last ? net.outputGain ?? 1 : 1;
  const weight = net.init === "orthogonal"
    ? orthogonal(draw as tf.Tensor2D)
    : tf.mul(draw, deviationOf(net, i));
  return {
    weight: gain === 1 ? weight : tf.mul(weight, gain),
    bias: tf.zeros([layer.outputs]),
    ...(layer.kind === "linear" && layer.norm && {
      gain: tf.ones([layer.outputs]),
      shift: tf.zeros([layer.outputs]),
    }),
  };
}

/** Standard deviation of the initial weights of layer `i`. */
function deviationOf(net: Net, i: number): number {
  const layer = net.layers[i];
  switch (net.init) {
    case "xavier":
      return xavierDeviation(layer);
    case "torch":
      return Math.sqrt(1 / (3 * fanIn(layer)));
    case "he":
    case "orthogonal":
      return heDeviation(layer, net, i);
    default:
      return net.init;
  }
}

/**
 * 1 / E[a(x)^2] for x ~ N(0, 1): the factor by which a layer's weights compensate for the activation before it
 * (He et al. 2015). Swish and GELU by quadrature: E[swish(x)^2] = 0.355776.
 */
const GAIN: Readonly<Record<Activation, number>> = {
  swish: 1 / 0.355776,
  leaky_relu: 2 / (1 + LEAK ** 2),
  relu: 2,
  gelu: 1 / 0.425194,
  tanh: 1 / 0.394294,
  identity: 1,
};

/** Standard deviation that keeps the variance of the signal: sqrt(gain of the previous activation / inputs per output). */
function heDeviation(layer: Layer, net: Net, i: number): number {
  const gain = i === 0 ? 1 : GAIN[net.activation];
  return Math.sqrt(gain / fanIn(layer));
}

/** Number of inputs per output; for a transposed convolution, of taps per output. */
function fanIn(layer: Layer): number {
  switch (layer.kind) {
    case "conv":
      return layer.inputs * layer.kernel ** 2;
    case "deconv":
      return layer.inputs * Math.min(layer.kernel / layer.stride, layer.inputSize) ** 2;
    case "linear":
      return layer.inputs;
  }
}

/** sqrt(2 / (fan in + fan out)) (Glorot and Bengio 2010), fans as PyTorch counts them. */
function xavierDeviation(layer: Layer): number {
  const area = layer.kind === "linear" ? 1 : layer.kernel ** 2;
  return Math.sqrt(2 / (area * (layer.inputs + layer.outputs)));
}

/** A matrix with orthonormal rows or columns, whichever are fewer, from standard normal draws (Saxe et al. 2014). */
function orthogonal(draw: tf.Tensor2D): tf.Tensor2D {
  const [rows, columns] = draw.shape;
  const tall = rows >= columns ? draw : tf.transpose(draw);
  const q = gramSchmidt(tall);
  return rows >= columns ? q : tf.transpose(q);
}

/**
 * Orthonormal columns that span those of `a` [rows, columns], rows >= columns: Gram-Schmidt in float64, modified in blocks of
 * four columns for speed.
 */
function gramSchmidt(a: tf.Tensor2D): tf.Tensor2D {
  const [rows, columns] = a.shape;
  const q = Float64Array.from(tf.tidy(() => tf.transpose(a).dataSync())); // [columns, rows]
  const vectors = Array.from({ length: columns }, (_, j) => q.subarray(j * rows, (j + 1) * rows));
  vectors.forEach((v, j) => {
    let i = 0;
    for (; i + 4 <= j; i += 4) removeFour(v, vectors.slice(i, i + 4));
    for (; i < j; i++) axpy(v, -dot(v, vectors[i]), vectors[i]);
    const scale = 1 / Math.sqrt(dot(v, v));
    for (let r = 0; r < rows; r++) v[r] *= scale;
  });
  return tf.transpose(tf.tensor2d(Float32Array.from(q), [columns, rows]));
}

function dot(v: Float64Array, u: Float64Array): number {
  let sum = 0;
  for (let r = 0; r < v.length; r++) sum += v[r] * u[r];
  return sum;
}

/** v + c u, in place. */
function axpy(v: Float64Array, c: number, u: Float64Array): void {
  for (let r = 0; r < v.length; r++) v[r] += c * u[r];
}

/** v minus its parts along four orthonormal vectors, in place. */
function removeFour(v: Float64Array, [a, b, c, d]: readonly Float64Array[]): void {
  let [pa, pb, pc, pd] = [0, 0, 0, 0];
  for (let r = 0; r < v.length; r++) {
    const x = v[r];
    pa += x * a[r];
    pb += x * b[r];
    pc += x * c[r];
    pd += x * d[r];
  }
  for (let r = 0; r < v.length; r++) v[r] -= pa * a[r] + pb * b[r] + pc * c[r] + pd * d[r];
}
