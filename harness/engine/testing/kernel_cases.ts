/**
 * Every kernel on small random inputs: the cases on which each compiled device is compared with eager tfjs-cpu.
 *
 * @module
 */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { fillNoise, keyOf } from "../../core/noise.ts";
import { inverse, logAbsDet } from "../../core/small_matrices.ts";
import type { HostArray, HostArrays, PureFunction } from "../../core/types.ts";

/** Required error of a kernel, relative to the largest element of the result: about a hundred roundings of float32. */
export const KERNEL_TOLERANCE = 1e-5;

/** Inputs, as a shape (drawn here) or as an array, and the function applied to them. */
export type Case = readonly [
  inputs: Readonly<Record<string, readonly number[] | HostArray>>,
  fn: (x: Record<string, tf.Tensor>) => tf.Tensor | tf.Tensor[],
];

let draws = 0;
function normal(shape: readonly number[]): HostArray {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  fillNoise(data, {
    key: keyOf(7),
    counters: Int32Array.of(draws++),
    width: data.length,
    kind: "normal",
  });
  return { shape, dtype: "float32", data };
}
/** A filter scaled by its fan-in, so that a chain of layers does not amplify rounding. */
function filter(shape: readonly number[]): HostArray {
  const { data } = normal(shape);
  const scale = 1 / Math.sqrt(data.length / Math.min(...shape.slice(2)));
  return { shape, dtype: "float32", data: (data as Float32Array).map((x) => x * scale) };
}
const ints = (...values: number[]): HostArray => ({
  shape: [values.length],
  dtype: "int32",
  data: Int32Array.from(values),
});

const S = [3, 4] as const;
const positive = (x: tf.Tensor) => tf.add(tf.abs(x), 0.1);
const asFloat = (x: tf.Tensor) => tf.cast(x, "float32");

/** Gradients of a weighted sum of `f` with respect to each input, which exercise the backward kernels. */
const gradients = (f: (...x: tf.Tensor[]) => tf.Tensor): Case[1] => (x) =>
  tf.grads((...args: tf.Tensor[]) => {
    const y = f(...args);
    return tf.sum(tf.mul(y, tf.cos(y)));
  })(Object.values(x));

const conv =
  (stride: number, pad: number | "same" | "valid", dilation = 1) => (x: tf.Tensor, w: tf.Tensor) =>
    tf.conv2d(
      x as tf.Tensor4D,
      w as tf.Tensor4D,
      stride,
      typeof pad === "number" ? [[0, 0], [pad, pad], [pad, pad], [0, 0]] : pad,
      "NHWC",
      dilation,
    );
const deconv = (stride: number, pad: number, size: number) => (x: tf.Tensor, w: tf.Tensor) =>
  tf.conv2dTranspose(
    x as tf.Tensor4D,
    w as tf.Tensor4D,
    [x.shape[0], size, size, w.shape[2] ?? 0] as [number, number, number, number],
    stride,
    [[0, 0], [pad, pad], [pad, pad], [0, 0]],
  );

const numberPad =
  (stride: number | [number, number], pad: number) => (x: tf.Tensor, w: tf.Tensor) =>
    tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad, "NHWC", 1, "floor");

/** Convolutions: name, image [n, h, w, in], filter, function. Channels that fill blocks of 16 or 8 and channels that do not. */
const CONVOLUTIONS: readonly [
  string,
  number[],
  number[],
  (x: tf.Tensor, w: tf.Tensor) => tf.Tensor,
][] = [
  ["conv 3x3 pad 2, 3 -> 32", [2, 7, 7, 3], [3, 3, 3, 32], conv(1, 2)],
  ["conv 3x3 pad 2, 1 -> 16", [2, 7, 7, 1], [3, 3, 1, 16], conv(1, 2)],
  ["conv 4x4 stride 2 pad 2, 32 -> 48", [2, 10, 10, 32], [4, 4, 32, 48], conv(2, 2)],
  ["conv 4x4 stride 2 pad 2, 8 -> 16", [2, 10, 10, 8], [4, 4, 8, 16], conv(2, 2)],
  ["deconv 4x4 stride 2 pad 2, 16 -> 8", [2, 6, 6, 16], [4, 4, 8, 16], deconv(2, 2, 10)],
  ["conv 4x4 stride 2 pad 2 of 20 images, 3 -> 16", [20, 6, 6, 3], [4, 4, 3, 16], conv(2, 2)],
  ["conv 4x4 stride 2 pad 1, 16 -> 32", [2, 8, 8, 16], [4, 4, 16, 32], conv(2, 1)],
  ["conv 3x3 valid, 32 -> 3", [2, 7, 7, 32], [3, 3, 32, 3], conv(1, "valid")],
  [
    "conv 3x2 padded unevenly, 8 -> 3",
    [2, 5, 7, 8],
    [3, 2, 8, 3],
    (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, [[0, 0], [2, 0], [0, 1], [0, 0]]),
  ],
  ["conv 3x3 pad 2, 5 -> 1", [2, 4, 6, 5], [3, 3, 5, 1], conv(1, 2)],
  ["conv 3x3 same, 12 -> 8", [2, 6, 6, 12], [3, 3, 12, 8], conv(1, "same")],
  ["conv 3x3 same, 5 -> 7", [2, 6, 6, 5], [3, 3, 5, 7], conv(1, "same")],
  ["conv 3x3 stride 2 same, odd, 16 -> 16", [1, 7, 9, 16], [3, 3, 16, 16], conv(2, "same")],
  [
    "conv 3x3 pad 1 as a number, 16 -> 16",
    [2, 6, 6, 16],
    [3, 3, 16, 16],
    numberPad(2, 1),
  ],
  ["conv 1x1 stride 3 pad 1 of one pixel, 3 -> 5", [2, 1, 1, 3], [1, 1, 3, 5], conv(3, 1)],
  ["conv 1x1 stride 3 pad 1 of one pixel, 16 -> 16", [2, 1, 1, 16], [1, 1, 16, 16], conv(3, 1)],
  ["conv 1x1 stride 3 pad 1 of 1x3, 16 -> 16", [2, 1, 3, 16], [1, 1, 16, 16], conv(3, 1)],
  ["conv 3x2 pad 1 as a number, 16 -> 16", [2, 7, 8, 16], [3, 2, 16, 16], numberPad(1, 1)],
  [
    "conv 3x3 stride 2x1 pad 1 as a number, 3 -> 5",
    [2, 7, 8, 3],
    [3, 3, 3, 5],
    numberPad([2, 1], 1),
  ],
  [
    "conv 2x2 stride 1x2 pad 2 as a number, 8 -> 16",
    [1, 5, 6, 8],
    [2, 2, 8, 16],
    numberPad([1, 2], 2),
  ],
  [
    "deconv 2x4 stride 1x2 pad 1 as a number, 16 -> 16",
    [2, 4, 4, 16],
    [2, 4, 16, 16],
    (x, w) => tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [2, 3, 8, 16], [1, 2], 1),
  ],
  ["conv 2x3 dilated, 16 -> 16", [1, 9, 9, 16], [2, 3, 16, 16], conv(1, "valid", 2)],
  ["conv 6x6 over its whole input", [3, 6, 6, 16], [6, 6, 16, 10], conv(1, 0)],
  ["conv 1x1, 16 -> 24", [2, 5, 5, 16], [1, 1, 16, 24], conv(1, 0)],
  ["deconv 6x6 from 1x1", [3, 1, 1, 10], [6, 6, 32, 10], deconv(1, 0, 6)],
  ["deconv 4x4 stride 2 pad 2, 32 -> 16", [2, 6, 6, 32], [4, 4, 16, 32], deconv(2, 2, 10)],
  ["deconv 4x4 stride 2 pad 1, 32 -> 16", [2, 4, 4, 32], [4, 4, 16, 32], deconv(2, 1, 8)],
  ["deconv 4x4 stride 2 pad 1, 16 -> 3", [2, 4, 4, 16], [4, 4, 3, 16], deconv(2, 1, 8)],
  ["deconv 3x3 stride 1 pad 0, 16 -> 16", [2, 4, 4, 16], [3, 3, 16, 16], deconv(1, 0, 6)],
  ["deconv 5x5 stride 2 pad 2, odd, 16 -> 16", [2, 4, 4, 16], [5, 5, 16, 16], deconv(2, 2, 7)],
];

/**
 * Images of `half` channels, half a block of the processors with blocks of twice as many, between convolutions of images with
 * few channels, half a block, most of one and whole ones.
 */
function halfBlocks(count: number, half: number): Case {
  const most = Math.ceil(1.5 * half);
  return [{
    x: [count, 6, 6, 3],
    a: [3, 3, 3, half],
    b: [half],
    w: [4, 4, half, half],
    v: [3, 3, half, 2 * half],
    t: [4, 4, half, 2 * half],
    u: [3, 3, half, most],
    s: [2, 2, most, half],
    r: [4, 4, half, half],
    q: [3, 3, half, 1],
  }, (inputs) => {
    const f = (x: tf.Tensor, a: tf.Tensor, b: tf.Tensor, ...filters: tf.Tensor[]) => {
      const [w, v, t, u, s, r, q] = filters.map((filter) => tf.mul(filter, 0.2)); // so that tanh is not saturated
      const h = tf.add(conv(1, 1)(x, tf.mul(a, 0.2)), b);
      const g = tf.mul(h, tf.sigmoid(h));
      const down = tf.where(tf.greater(g, 0.2), tf.exp(tf.tanh(g)), tf.div(g, 2));
      const whole = conv(1, 1)(conv(2, 1)(down, w), v); // 3x3
      const up = tf.sub(deconv(2, 1, 6)(tf.tanh(whole), t), b);
      const wide = tf.tanh(conv(1, 0)(up, u)); // 4x4
      const last = deconv(2, 1, 6)(conv(1, 0)(wide, s), r); // 3x3 to 6x6
      const one = conv(1, 1)(tf.add(last, tf.mul(up, tf.mean(last))), q);
      return tf.add(one, tf.sum(asFloat(tf.greater(last, up)), 3, true));
    };
    const all = Object.values(inputs) as Parameters<typeof f>;
    return [f(...all), ...gradients(f as (...x: tf.Tensor[]) => tf.Tensor)(inputs) as tf.Tensor[]];
  }];
}

/** Every kernel by its name, and combinations that compilers fuse. */
export const CASES: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    ([
      ["Abs", tf.abs],
      ["Cos", tf.cos],
      ["Erf", tf.erf],
      ["Exp", tf.exp],
      ["Expm1", tf.expm1],
      ["Neg", tf.neg],
      ["Relu", tf.relu],
      ["Relu6", tf.relu6],
      ["Sigmoid", tf.sigmoid],
      ["Sign", tf.sign],
      ["Sin", tf.sin],
      ["Softplus", tf.softplus],
      ["Square", tf.square],
      ["Tanh", tf.tanh],
      ["Elu", tf.elu],
      ["Selu", tf.selu],
      ["Step", (x) => tf.step(x, 0.3)],
      ["LeakyRelu", (x) => tf.leakyRelu(x, 0.2)],
      ["ClipByValue", (x) => tf.clipByValue(x, -0.5, 0.7)],
      ["Log", (x) => tf.log(positive(x))],
      ["Log1p", (x) => tf.log1p(tf.mul(positive(x), 1e-4))],
      ["Log1p, large", (x) => tf.log1p(positive(x))],
      ["Log1p, negative", (x) => tf.log1p(tf.mul(tf.sigmoid(x), -0.9))],
      ["Reciprocal", (x) => tf.reciprocal(positive(x))],
      ["Rsqrt", (x) => tf.rsqrt(positive(x))],
      ["Sqrt", (x) => tf.sqrt(positive(x))],
      ["Identity", (x) => tf.add(tf.clone(x), 1)],
      ["LogicalNot", (x) => asFloat(tf.logicalNot(tf.greater(x, 0)))],
      ["Reshape", (x) => tf.reshape(x, [2, -1])],
      ["ExpandDims", (x) => tf.expandDims(x, -1)],
      ["Transpose", (x) => tf.transpose(x)],
      ["BroadcastTo", (x) => tf.broadcastTo(tf.reshape(x, [3, 1, 4]), [3, 2, 4])],
      ["Tile", (x) => tf.tile(x, [2, 3])],
      ["Slice", (x) => tf.slice(x, [1, 1], [2, 2])],
      ["StridedSlice", (x) => tf.stridedSlice(x, [0, 1], [3, 4], [2, 2])],
      ["Reverse", (x) => tf.reverse(x, 1)],
      ["Reverse both axes", (x) => tf.reverse(x, [0, 1])],
      ["Softmax", (x) => tf.softmax(x)],
      ["PadV2", (x) => tf.pad(x, [[1, 0], [2, 3]], 0.5)],
      ["ZerosLike", (x) => tf.add(tf.zerosLike(x), x)],
      ["OnesLike", (x) => tf.add(tf.onesLike(x), x)],
      ["Fill", (x) => tf.add(tf.fill([3, 4], 2.5), x)],
      ["Range", (x) => tf.mul(tf.range(0, 4, 1), x)],
      ["Sum", (x) => tf.sum(x, 1, true)],
      ["Mean", (x) => tf.mean(x, 0)],
      ["Max", (x) => tf.max(x, 1)],
      ["Min", (x) => tf.min(x, [0, 1])],
      ["Prod", (x) => tf.prod(x, 1)],
      ["All", (x) => asFloat(tf.all(tf.greater(x, -9), 1))],
      ["Cast", (x) => asFloat(tf.cast(tf.mul(x, 3), "int32"))],
    ] as [string, (x: tf.Tensor) => tf.Tensor][]).map((
      [name, fn],
    ) => [name, [{ x: S }, ({ x }) => fn(x)] as Case]),
  ),
  ...Object.fromEntries(
    ([
      ["Add", tf.add],
      ["Sub", tf.sub],
      ["Multiply", tf.mul],
      ["Maximum", tf.maximum],
      ["Minimum", tf.minimum],
      ["SquaredDifference", tf.squaredDifference],
      ["RealDiv", (a, b) => tf.div(a, positive(b))],
      ["Pow", (a, b) => tf.pow(positive(a), b)],
      ["Equal", (a, b) => asFloat(tf.equal(tf.sign(a), tf.sign(b)))],
      ["NotEqual", (a, b) => asFloat(tf.notEqual(tf.sign(a), tf.sign(b)))],
      ["Greater", (a, b) => asFloat(tf.greater(a, b))],
      ["GreaterEqual", (a, b) => asFloat(tf.greaterEqual(a, b))],
      ["Less", (a, b) => asFloat(tf.less(a, b))],
      ["LessEqual", (a, b) => asFloat(tf.lessEqual(a, b))],
      ["LogicalAnd", (a, b) => asFloat(tf.logicalAnd(tf.greater(a, 0), tf.greater(b, 0)))],
      ["LogicalOr", (a, b) => asFloat(tf.logicalOr(tf.greater(a, 0), tf.greater(b, 0)))],
      ["Select", (a, b) => tf.where(tf.greater(a, 0), a, tf.add(tf.zerosLike(a), b))],
      ["AddN", (a, b) => tf.addN([a, tf.add(tf.zerosLike(a), b), a])],
    ] as [string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor][]).flatMap(([name, fn]) => [
      [name, [{ a: S, b: S }, ({ a, b }) => fn(a, b)] as Case],
      [`${name} broadcasts`, [{ a: [2, 3, 4], b: [3, 1] }, ({ a, b }) => fn(a, b)] as Case],
    ]),
  ),
  Concat: [{ a: [2, 3], b: [2, 1] }, ({ a, b }) => tf.concat([a, b], 1)],
  Pack: [{ a: S, b: S }, ({ a, b }) => tf.stack([a, b], 1)],
  Unpack: [{ x: S }, ({ x }) => tf.unstack(x, 1)],
  SplitV: [{ x: S }, ({ x }) => tf.split(x, [1, 3], 1)],
  "AddN of twenty": [
    { x: [2, 3] },
    ({ x }) => tf.addN(Array.from({ length: 20 }, (_, i) => tf.mul(x, i))),
  ],
  "PadV2 of six axes": [{ x: [2, 1, 2, 2, 1, 3] }, ({ x }) =>
    tf.reshape(
      tf.pad(x, [[0, 0], [1, 0], [0, 0], [0, 2], [0, 1], [0, 0]] as [number, number][], 0.5),
      [-1],
    )],
  ...Object.fromEntries(
    Object.entries({ Sum: tf.sum, Mean: tf.mean, Max: tf.max, Min: tf.min, Prod: tf.prod })
      .flatMap(([name, fn]) => {
        // Positive, so that sums do not cancel.
        const reduced: Case[1] = ({ x }) => fn(positive(x), [0, 1, 2]);
        return [
          [`${name} of many short rows`, [{ x: [16, 15, 18, 3] }, reduced] as Case],
          [`${name} down to a row`, [{ x: [6, 8, 2, 1] }, reduced] as Case],
        ];
      }),
  ),
  "scalars with an image of one channel": [
    { x: [2, 5, 4, 1], s: [1], t: [] },
    gradients((x, s, t) => tf.sigmoid(tf.sub(tf.mul(tf.add(tf.mul(x, 0.3), s), t), tf.div(x, t)))),
  ],
  GatherV2: [{ x: [5, 3], i: ints(4, 0, 4) }, ({ x, i }) => tf.gather(x, i as tf.Tensor1D)],
  BatchMatMul: [{ a: [3, 4], b: [4, 5] }, ({ a, b }) => tf.matMul(a, b)],
  "BatchMatMul transposed": [{ a: [4, 3], b: [5, 4] }, ({ a, b }) => tf.matMul(a, b, true, true)],
  "BatchMatMul batched": [
    { a: [2, 4, 3], b: [2, 5, 4] },
    ({ a, b }) => tf.matMul(a, b, true, true),
  ],
  Noise: [
    { step: ints(3) },
    ({ step }) =>
      tf.engine().runKernel(
        "Noise",
        { counters: step },
        { key: [1, 2], width: 5, kind: "normal" } as never,
      ) as tf.Tensor,
  ],
  AvgPool: [{ x: [2, 6, 4, 3] }, ({ x }) => tf.avgPool(x as tf.Tensor4D, [3, 2], [3, 2], 0)],
  "AvgPoolGrad of tiles": [
    { x: [2, 6, 4, 3] },
    gradients((x) => tf.avgPool(x as tf.Tensor4D, [3, 2], [3, 2], "valid")),
  ],
  "AvgPoolGrad of overlapping windows": [
    { x: [2, 7, 6, 16] },
    gradients((x) => tf.avgPool(x as tf.Tensor4D, 3, [2, 1], "valid")),
  ],
  "AvgPool with padding": [
    { x: [2, 5, 6, 3] },
    ({ x }) => tf.avgPool(x as tf.Tensor4D, [3, 2], [2, 1], "same"),
  ],
  "AvgPoolGrad with padding": [
    { x: [2, 5, 6, 3] },
    gradients((x) => tf.avgPool(x as tf.Tensor4D, [3, 2], [2, 1], "same")),
  ],
  "AvgPoolGrad with padding as a number": [
    { x: [1, 4, 5, 16] },
    gradients((x) => tf.avgPool(x as tf.Tensor4D, 3, 2, 1)),
  ],
  ResizeNearestNeighbor: [
    { x: [2, 3, 2, 3] },
    ({ x }) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [6, 6]),
  ],
  "gradients of ResizeNearestNeighbor": [
    { x: [2, 3, 2, 3] },
    gradients((x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [6, 6])),
  ],
  "gradients of StridedSlice": [
    { x: [5, 6, 3] },
    gradients((x) => tf.stridedSlice(x, [1, 0, -3], [5, 6, 3], [3, 2, 1])),
  ],
  "gradients of StridedSlice that drops an axis": [
    { x: [5, 6] },
    gradients((x) => tf.stridedSlice(x, [0, 4], [5, 5], [2, 1], 0, 0, 0, 0, 2)),
  ],
  "inverse of a matrix and its gradient": [
    { x: [5, 5] },
    ({ x }) => {
      const f = (x: tf.Tensor) =>
        inverse(
          tf.add(
            x,
            tf.mul(
              3,
              tf.cast(
                tf.equal(tf.range(0, 5, 1), tf.reshape(tf.range(0, 5, 1), [5, 1])),
                "float32",
              ),
            ),
          ) as tf.Tensor2D,
        );
      return [f(x), tf.grad((x) => tf.sum(tf.square(f(x))))(x)];
    },
  ],
  "log-determinant of a matrix and its gradient": [
    { x: [5, 5] },
    ({ x }) => [logAbsDet(x as tf.Tensor2D), tf.grad((x) => logAbsDet(x as tf.Tensor2D))(x)],
  ],
  "gradients of Erf": [{ x: S }, gradients(tf.erf)],
  "gradients of Softmax": [{ x: [2, 3, 5] }, gradients((x) => tf.softmax(x))],
  "gradients of Reverse": [{ x: [2, 3, 4] }, gradients((x) => tf.reverse(x, [0, 2]))],
  "gradients of Select with a traced condition": [
    { a: S, b: S },
    gradients((a, b) => tf.where(tf.greater(a, b), tf.mul(a, b), tf.where(tf.less(a, 0), b, a))),
  ],
  "swish and its gradient": [{ x: [2, 3, 3, 16] }, gradients((x) => tf.mul(x, tf.sigmoid(x)))],
  "bias, swish, bias gradient between convolutions": [
    { x: [2, 6, 6, 16], w: [3, 3, 16, 32], b: [32], v: [3, 3, 32, 16] },
    gradients((x, w, b, v) => {
      const h = tf.add(conv(1, 1)(x, w), b);
      return conv(2, 1)(tf.mul(h, tf.sigmoid(h)), v);
    }),
  ],
  "channels that fill most of a block, between convolutions": [
    { x: [2, 6, 6, 3], w: [4, 4, 3, 12], b: [12], v: [4, 4, 9, 12], u: [3, 3, 9, 2] },
    gradients((x, w, b, v, u) => {
      const h = tf.sub(conv(2, 1)(x, w), b); // 12 channels
      const y = deconv(2, 1, 6)(tf.mul(h, tf.sigmoid(h)), v); // 9
      const scaled = tf.div(tf.maximum(y, 0.1), tf.add(tf.mean(tf.square(y)), 1));
      return tf.add(conv(1, 1)(tf.exp(tf.tanh(scaled)), u), tf.sum(tf.mul(scaled, y)));
    }),
  ],
  "two images in a block of 16": halfBlocks(4, 8),
  "two images in a block of 8": halfBlocks(4, 4),
  "images in half a block, an odd number": halfBlocks(3, 8),
  "leaky ReLU and tanh between transposed convolutions": [
    { x: [2, 4, 4, 32], w: [4, 4, 16, 32], b: [16], v: [4, 4, 3, 16] },
    gradients((x, w, b, v) =>
      tf.tanh(deconv(2, 1, 16)(tf.leakyRelu(tf.add(deconv(2, 1, 8)(x, w), b), 0.2), v))
    ),
  ],
  ...Object.fromEntries(CONVOLUTIONS.flatMap(([name, x, w, fn]) => [
    [name, [{ x, w }, ({ x, w }) => fn(x, w)] as Case],
    // tfjs does not implement the gradient of a dilated convolution.
    ...(name.includes("dilated")
      ? []
      : [[`gradients of ${name}`, [{ x, w }, gradients(fn)]] as [string, Case]]),
  ])),
};

/** Makes a function to compile from a case; outputs are named by position. */
export function caseFunction([, fn]: Case): PureFunction {
  return ({ inputs }) => {
    const result = fn({ ...inputs });
    const list = Array.isArray(result) ? result : [result];
    return { outputs: Object.fromEntries(list.map((t, i) => [String(i), t])) };
  };
}

/** The largest error over all arrays, each relative to the largest element of its array. */
export function worstError(actual: HostArrays, expected: HostArrays): number {
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  return Math.max(
    ...Object.entries(expected).map(([name, { data, shape }]) => {
      assert.deepEqual([...actual[name].shape], [...shape]);
      const values: number[] = [...data];
      const scale = values.reduce((m, x) => Math.max(m, Math.abs(x)), 1e-30);
      return values.reduce((m, x, i) => Math.max(m, Math.abs(x - actual[name].data[i])), 0) / scale;
    }),
  );
}

/** Draws the inputs of a case: images and vectors are standard normal, filters (`w`, `v`) are scaled by their fan-in. */
export function caseInputs([inputs]: Case): HostArrays {
  return Object.fromEntries(
    Object.entries(inputs).map((
      [k, v],
    ) => [k, "data" in v ? v : k === "w" || k === "v" ? filter(v) : normal(v)]),
  );
}

/** Inputs of `allCases`, by `CASE/NAME`. */
export const allInputs: HostArrays = Object.fromEntries(
  Object.entries(CASES).flatMap(([name, example]) =>
    Object.entries(caseInputs(example)).map(([k, v]) => [`${name}/${k}`, v])
  ),
);

/** All cases in one program, which saves compilations: outputs `CASE/POSITION`. */
export const allCases: PureFunction = ({ inputs }) => {
  const outputs: Record<string, tf.Tensor> = {};
  for (const [name, example] of Object.entries(CASES)) {
    const own = Object.fromEntries(
      Object.keys(example[0]).map((k) => [k, inputs[`${name}/${k}`]]),
    );
    const result = caseFunction(example)({ state: {}, inputs: own }).outputs;
    for (const [k, v] of Object.entries(result)) outputs[`${name}/${k}`] = v;
  }
  return { outputs };
};
