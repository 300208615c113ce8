/**
 * Each tfjs kernel in terms of the graph's primitives. Names and attributes are those of tfjs-core 4.22
 * (kernel_names.ts). Its gradients call the same kernels, so this table covers forward and backward passes.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Key, NOISE_KERNEL, type NoiseKind } from "../../core/noise.ts";
import type { Builder } from "./builder.ts";
import { checkGradientShape, convolutionWindow, type WindowAttrs } from "./convolution_window.ts";
import { IMAGE_KERNELS } from "./image_kernels.ts";
import type { Call, Kernel } from "./kernel_call.ts";
import {
  type BinaryFn,
  type CompareFn,
  type ReduceFn,
  sizeOf,
  type Type,
  type UnaryFn,
  type Value,
} from "./graph.ts";

const unary = (fn: UnaryFn): Kernel => ({ b, inputs: { x } }) => b.unary(fn, x);
const binary = (fn: BinaryFn): Kernel => ({ b, inputs }) => b.binary(fn, inputs.a, inputs.b);
const compare = (fn: CompareFn): Kernel => ({ b, inputs }) => b.compare(fn, inputs.a, inputs.b);

const reduce = (fn: ReduceFn, axisName: string): Kernel => ({ b, inputs: { x }, attrs }) => {
  const axes = tf.util.parseAxisParam(attrs[axisName] as number | number[], x.shape as number[]);
  const reduced = b.reduce(fn, x, axes);
  return attrs.keepDims
    ? b.reshape(reduced, x.shape.map((d, i) => axes.includes(i) ? 1 : d))
    : reduced;
};

function sliceAlong(
  b: Builder,
  x: Value,
  { axis, begin, size }: { axis: number; begin: number; size: number },
): Value {
  return b.slice(x, {
    begin: x.shape.map((_, i) => i === axis ? begin : 0),
    size: x.shape.map((d, i) => i === axis ? size : d),
  });
}

const windowOf = (attrs: Call["attrs"]) => attrs as unknown as WindowAttrs;
const zero = (b: Builder, x: Value) => b.constant([0], [], x.type);
const one = (b: Builder, x: Value) => b.constant([1], [], x.type);

/**
 * Gathers along `axis`. Rows of an index outside of [0, size) become NaN, or the smallest int32, on every target: by
 * themselves ONNX Runtime counts a negative index from the end, and XLA takes the nearest row. Throws RangeError if such
 * an index is known.
 */
function gatherChecked(
  b: Builder,
  { x, indices, axis }: { x: Value; indices: Value; axis: number },
): Value {
  const size = x.shape[axis];
  if (indices.op === "constant") {
    const wrong = indices.data.find((i) => i < 0 || i >= size);
    if (wrong === undefined) return b.gather(x, indices, axis);
    throw new RangeError(`tf.gather: an index must be in [0, ${size}), got ${wrong}`);
  }
  const int = (value: number) => b.constant([value], [], "int32");
  const clamped = b.binary("min", b.binary("max", indices, int(0)), int(size - 1));
  const isInside = b.reshape(b.compare("equal", clamped, indices), [
    ...indices.shape,
    ...x.shape.slice(axis + 1).map(() => 1),
  ]);
  const missing = x.type === "float32" ? NaN : x.type === "int32" ? -(2 ** 31) : 0;
  return b.select(isInside, b.gather(x, clamped, axis), b.constant([missing], [], x.type));
}

/** Kernels by name. */
export const KERNELS: Readonly<Record<string, Kernel>> = {
  Abs: unary("abs"),
  Cos: unary("cos"),
  Erf: unary("erf"),
  Exp: unary("exp"),
  Expm1: unary("expm1"),
  Log: unary("log"),
  Log1p: unary("log1p"),
  LogicalNot: unary("logicalNot"),
  Neg: unary("neg"),
  Reciprocal: unary("reciprocal"),
  Relu: unary("relu"),
  Rsqrt: unary("rsqrt"),
  Sigmoid: unary("sigmoid"),
  Sign: unary("sign"),
  Sin: unary("sin"),
  Softplus: unary("softplus"),
  Sqrt: unary("sqrt"),
  Tanh: unary("tanh"),
  Square: ({ b, inputs: { x } }) => b.binary("mul", x, x),
  LeakyRelu: ({ b, inputs: { x }, attrs }) => b.leakyRelu(x, attrs.alpha),
  Elu: ({ b, inputs: { x } }) =>
    b.select(b.compare("greater", x, zero(b, x)), x, b.unary("expm1", x)),
  Selu: ({ b, inputs: { x } }) => {
    const { SELU_SCALE, SELU_SCALEALPHA } = tf.backend_util;
    const scaled = (factor: number, y: Value) =>
      b.binary("mul", b.constant([Math.fround(factor)], [], x.type), y);
    return b.select(
      b.compare("greaterEqual", x, zero(b, x)),
      scaled(SELU_SCALE, x),
      scaled(SELU_SCALEALPHA, b.unary("expm1", x)),
    );
  },
  Step: ({ b, inputs: { x }, attrs }) => {
    const alpha = (attrs.alpha as number) ?? 0;
    const isPositive = b.unary("sign", b.unary("relu", x)); // NaN of NaN
    if (alpha === 0) return isPositive;
    const low = b.select(b.compare("equal", x, x), b.constant([alpha], [], x.type), x);
    return b.select(b.compare("greater", x, zero(b, x)), one(b, x), low);
  },
  Relu6: ({ b, inputs: { x } }) => b.binary("min", b.unary("relu", x), b.constant([6], [], x.type)),
  ClipByValue: ({ b, inputs: { x }, attrs }) =>
    b.binary(
      "min",
      b.binary("max", x, b.constant([attrs.clipValueMin], [], x.type)),
      b.constant([attrs.clipValueMax], [], x.type),
    ),

  Add: binary("add"),
  Sub: binary("sub"),
  Multiply: binary("mul"),
  RealDiv: binary("div"),
  Maximum: binary("max"),
  Minimum: binary("min"),
  Pow: binary("pow"),
  AddN: ({ b, inputs }) => Object.values(inputs).reduce((sum, x) => b.binary("add", sum, x)),
  SquaredDifference: ({ b, inputs }) => {
    const d = b.binary("sub", inputs.a, inputs.b);
    return b.binary("mul", d, d);
  },

  Equal: compare("equal"),
  NotEqual: ({ b, inputs }) => b.unary("logicalNot", b.compare("equal", inputs.a, inputs.b)),
  Greater: compare("greater"),
  GreaterEqual: compare("greaterEqual"),
  Less: compare("less"),
  LessEqual: compare("lessEqual"),
  LogicalAnd: compare("and"),
  LogicalOr: compare("or"),
  Select: ({ b, inputs: { condition, t, e } }) => {
    // A condition of rank 1 selects whole rows (tf.where).
    const shape = condition.shape.length === 1
      ? [condition.shape[0], ...t.shape.slice(1).map(() => 1)]
      : condition.shape;
    return b.select(b.reshape(condition, shape), t, e);
  },

  Cast: ({ b, inputs: { x }, attrs }) => b.cast(x, attrs.dtype as Type),
  Identity: ({ inputs: { x } }) => x,
  Reshape: ({ b, inputs: { x }, attrs }) =>
    b.reshape(x, tf.util.inferFromImplicitShape(attrs.shape as number[], sizeOf(x.shape))),
  ExpandDims: ({ b, inputs: { input }, attrs }) => {
    const shape = [...input.shape];
    const dim = attrs.dim as number;
    shape.splice(dim < 0 ? shape.length + 1 + dim : dim, 0, 1);
    return b.reshape(input, shape);
  },
  Transpose: ({ b, inputs: { x }, attrs }) => b.transpose(x, attrs.perm),
  BroadcastTo: ({ b, inputs: { x }, attrs }) => b.broadcast(x, attrs.shape),
  Tile: ({ b, inputs: { x }, attrs }) => {
    const reps = attrs.reps as number[];
    // [d] tiled r times is [1, d] broadcast to [r, d].
    const open = b.reshape(x, x.shape.flatMap((d) => [1, d]));
    return b.reshape(
      b.broadcast(open, x.shape.flatMap((d, i) => [reps[i], d])),
      x.shape.map((d, i) => d * reps[i]),
    );
  },
  Slice: ({ b, inputs: { x }, attrs }) => {
    const like = { shape: x.shape, rank: x.shape.length } as unknown as tf.Tensor;
    const [begin, size] = tf.slice_util.parseSliceParams(like, attrs.begin, attrs.size);
    return b.slice(x, { begin, size });
  },
  StridedSlice: ({ b, inputs: { x }, attrs }) => {
    const info = tf.slice_util.sliceInfo(
      x.shape as number[],
      attrs.begin,
      attrs.end,
      attrs.strides,
      attrs.beginMask,
      attrs.endMask,
      attrs.ellipsisMask,
      attrs.newAxisMask,
      attrs.shrinkAxisMask,
    );
    if (info.strides.some((s) => s < 1)) {
      throw new RangeError(`Strides of a slice must be >= 1, got [${info.strides}]`);
    }
    const size = tf.slice_util.computeOutShape(info.begin, info.end, info.strides);
    return b.reshape(b.slice(x, { begin: info.begin, size, steps: info.strides }), info.finalShape);
  },
  Reverse: ({ b, inputs: { x }, attrs }) =>
    b.reverse(x, tf.util.parseAxisParam(attrs.dims, x.shape as number[])),
  SplitV: ({ b, inputs: { x }, attrs }) => {
    const [axis] = tf.util.parseAxisParam(attrs.axis, x.shape as number[]);
    const like = { shape: x.shape } as unknown as tf.Tensor;
    const sizes = tf.backend_util.prepareSplitSize(like, attrs.numOrSizeSplits, axis);
    let begin = 0;
    return sizes.map((size) => {
      const part = sliceAlong(b, x, { axis, begin, size });
      begin += size;
      return part;
    });
  },
  Unpack: ({ b, inputs: { value }, attrs }) => {
    const [axis] = tf.util.parseAxisParam(attrs.axis, value.shape as number[]);
    const rest = value.shape.filter((_, i) => i !== axis);
    return Array.from(
      { length: value.shape[axis] },
      (_, i) => b.reshape(sliceAlong(b, value, { axis, begin: i, size: 1 }), rest),
    );
  },
  Pack: ({ b, inputs, attrs }) => {
    const parts = Object.values(inputs);
    const axis = attrs.axis as number;
    const at = axis < 0 ? axis + parts[0].shape.length + 1 : axis;
    return b.concat(
      parts.map((p) => b.reshape(p, [...p.shape.slice(0, at), 1, ...p.shape.slice(at)])),
      at,
    );
  },
  Concat: ({ b, inputs, attrs }) => {
    const parts = Object.values(inputs);
    const [axis] = tf.util.parseAxisParam(attrs.axis, parts[0].shape as number[]);
    const filled = parts.filter((p) => sizeOf(p.shape) > 0);
    return b.concat(filled.length > 0 ? filled : parts.slice(0, 1), axis);
  },
  PadV2: ({ b, inputs: { x }, attrs }) => {
    const paddings = attrs.paddings as [number, number][];
    return b.pad(x, {
      low: paddings.map((p) => p[0]),
      high: paddings.map((p) => p[1]),
      value: attrs.constantValue,
    });
  },
  GatherV2: ({ b, inputs: { x, indices }, attrs }) => {
    if (attrs.batchDims) {
      throw new RangeError(
        "tf.gather with batchDims is not compiled: reshape and gather along one axis",
      );
    }
    const [axis] = tf.util.parseAxisParam(attrs.axis, x.shape as number[]);
    return gatherChecked(b, { x, indices, axis });
  },
  ZerosLike: ({ b, inputs: { x } }) => b.constant([0], x.shape, x.type),
  OnesLike: ({ b, inputs: { x } }) => b.constant([1], x.shape, x.type),
  Fill: ({ b, attrs }) =>
    b.constant([Number(attrs.value)], attrs.shape, (attrs.dtype as Type) ?? "float32"),
  Range: ({ b, attrs }) => {
    const { start, stop, step, dtype } = attrs as unknown as {
      start: number;
      stop: number;
      step: number;
      dtype: Type;
    };
    const data = Array.from(
      { length: Math.max(0, Math.ceil((stop - start) / step)) },
      (_, i) => start + i * step,
    );
    return b.constant(data, [data.length], dtype);
  },

  Softmax: ({ b, inputs: { logits }, attrs }) => {
    const axes = [attrs.dim as number];
    const kept = (fn: ReduceFn, x: Value) =>
      b.reshape(b.reduce(fn, x, axes), x.shape.map((d, i) => axes.includes(i) ? 1 : d));
    const e = b.unary("exp", b.binary("sub", logits, kept("max", logits)));
    return b.binary("div", e, kept("sum", e));
  },
  Sum: reduce("sum", "axis"),
  Mean: reduce("mean", "axis"),
  Max: reduce("max", "reductionIndices"),
  Min: reduce("min", "axis"),
  Prod: reduce("prod", "axis"),
  All: ({ b, inputs: { x }, attrs }) => {
    const smallest = reduce("min", "axis")({ b, inputs: { x: b.cast(x, "int32") }, attrs });
    return b.cast(smallest as Value, "bool");
  },

  BatchMatMul: ({ b, inputs, attrs }) =>
    b.matmul(inputs.a, inputs.b, { transposeA: attrs.transposeA, transposeB: attrs.transposeB }),
  Conv2D: ({ b, inputs: { x, filter }, attrs }) => {
    const { window, outShape } = convolutionWindow(x.shape, filter.shape, windowOf(attrs));
    return b.conv(x, filter, { window, shape: outShape });
  },
  Conv2DBackpropInput: ({ b, inputs: { dy, filter }, attrs }) => {
    const shape = attrs.inputShape as number[];
    const { window, outShape } = convolutionWindow(shape, filter.shape, windowOf(attrs));
    checkGradientShape(dy.shape, outShape);
    return b.convInputGradient(dy, filter, { window, shape });
  },
  Conv2DBackpropFilter: ({ b, inputs: { x, dy }, attrs }) => {
    const shape = attrs.filterShape as number[];
    const { window, outShape } = convolutionWindow(x.shape, shape, windowOf(attrs));
    checkGradientShape(dy.shape, outShape);
    return b.convFilterGradient(x, dy, { window, shape });
  },

  ...IMAGE_KERNELS,

  [NOISE_KERNEL]: ({ b, inputs: { counters }, attrs }) =>
    b.noise(counters, attrs as unknown as { key: Key; width: number; kind: NoiseKind }),
};
