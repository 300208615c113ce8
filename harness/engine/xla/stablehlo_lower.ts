/**
 * Lowers one operation of the graph to StableHLO. Convolutions take the forms that XLA matches: the input gradient
 * convolves with a filter that is itself a `reverse`, which XLA:GPU recognises as cuDNN's backward-data. XLA:CPU, whose
 * layout pass visits only the entry computation, runs this form (NHWC, HWIO) without a change inside loops too.
 *
 * @module
 */
import type { BinaryFn, CompareFn, Operation, UnaryFn, Value } from "../graph/graph.ts";
import { writeNoise } from "./stablehlo_noise.ts";
import type { Term, Writer } from "./stablehlo_writer.ts";

const UNARY: Readonly<Partial<Record<UnaryFn, string>>> = {
  abs: "abs",
  cos: "cosine",
  exp: "exponential",
  expm1: "exponential_minus_one",
  log: "log",
  log1p: "log_plus_one",
  logicalNot: "not",
  neg: "negate",
  rsqrt: "rsqrt",
  sigmoid: "logistic",
  sign: "sign",
  sin: "sine",
  sqrt: "sqrt",
  tanh: "tanh",
};
const BINARY: Readonly<Record<BinaryFn, string>> = {
  add: "add",
  div: "divide",
  max: "maximum",
  min: "minimum",
  mul: "multiply",
  pow: "power",
  sub: "subtract",
};
const COMPARE: Readonly<
  Record<Exclude<CompareFn, "and" | "or">, "EQ" | "GE" | "GT" | "LE" | "LT">
> = { equal: "EQ", greater: "GT", greaterEqual: "GE", less: "LT", lessEqual: "LE" };
const REDUCE = {
  max: ["maximum", -Infinity],
  mean: ["add", 0],
  min: ["minimum", Infinity],
  prod: ["multiply", 1],
  sum: ["add", 0],
} as const;
/** Initial values of int32 reductions: the smallest and the largest int32. */
const INT_LIMITS = { max: -(2 ** 31), min: 2 ** 31 - 1 } as const;

const NHWC = "[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]";
/** Layout of the filter gradient: the image's channels are the batch, and the sum runs over the batch. */
const FILTER_GRADIENT = "[f, 0, 1, b]x[i, 0, 1, o]->[0, 1, b, f]";

/** Writes the operation of `value` on its inputs, which have been written. */
export function lowerOperation(w: Writer, value: Value, inputs: readonly Term[]): Term {
  const [x, y] = inputs;
  switch (value.op) {
    case "constant":
      return w.constant(value.data, value.shape, value.type);
    case "noise":
      return writeNoise(w, x, value);
    case "unary":
      return lowerUnary(w, value.fn, x);
    case "leakyRelu":
      return w.select(
        w.compare("GT", x, w.constant(0)),
        x,
        w.binary("multiply", x, w.constant(value.alpha)),
      );
    case "binary":
      return w.binary(BINARY[value.fn], x, y);
    case "compare":
      return value.fn === "and" || value.fn === "or"
        ? w.binary(value.fn, x, y)
        : w.compare(COMPARE[value.fn], x, y);
    case "select":
      return w.select(x, y, inputs[2]);
    case "cast":
      return w.convert(x, value.type);
    case "reshape":
      return w.reshape(x, value.shape);
    case "broadcast":
      return w.broadcast(x, value.shape);
    case "transpose":
      return w.transpose(x, value.perm);
    case "slice": {
      const { begin, steps, shape } = value;
      const end = begin.map((b, i) => b + (shape[i] - 1) * steps[i] + 1);
      return w.slice(x, { begin, end, steps });
    }
    case "reverse":
      return w.reverse(x, value.axes);
    case "concat":
      return w.concat(inputs, value.axis);
    case "pad":
      return w.pad(x, value);
    case "reduce":
      return lowerReduce(w, value, x);
    case "matmul": {
      const batch = value.shape.slice(0, -2);
      const [a, b] = inputs.map((t) => w.broadcast(t, [...batch, ...t.shape.slice(-2)]));
      return w.dot(a, b, value);
    }
    case "conv":
    case "convInputGradient":
    case "convFilterGradient":
      return lowerConvolution(w, value, inputs);
    case "gather":
      return w.gather(x, y, value.axis);
    default:
      throw new Error(
        `Operation ${value.op} has no StableHLO lowering: add it to harness/engine/xla/stablehlo_lower.ts`,
      );
  }
}

function lowerUnary(w: Writer, fn: UnaryFn, x: Term): Term {
  const one = () => w.constant(1);
  switch (fn) {
    case "reciprocal":
      return w.binary("divide", one(), x);
    case "relu":
      return w.binary("maximum", x, w.constant(0, [], x.type));
    case "softplus": // max(x, 0) + log1p(exp(-|x|))
      return w.binary(
        "add",
        w.binary("maximum", x, w.constant(0)),
        w.unary("log_plus_one", w.unary("exponential", w.unary("negate", w.unary("abs", x)))),
      );
    case "erf":
      return erf(w, x);
    case "swish":
      return w.binary("multiply", x, w.unary("logistic", x));
    case "swishGradient": {
      // s + s (x (1 - s)), s = sigmoid(x), reads only x. A form with y = x s makes XLA read swish's result from memory.
      const s = w.unary("logistic", x);
      const slope = w.binary("multiply", x, w.binary("subtract", one(), s));
      return w.binary("add", s, w.binary("multiply", s, slope));
    }
    default: {
      const op = UNARY[fn];
      if (!op) {
        throw new Error(
          `Function ${fn} has no StableHLO lowering: add it to harness/engine/xla/stablehlo_lower.ts`,
        );
      }
      return w.unary(op, x);
    }
  }
}

/** Odd and even part of erf on [-4, 4], from the highest power of x^2: Eigen's rational approximation for float32. */
const ERF_ODD = [
  -2.72614225801306e-10,
  2.77068142495902e-8,
  -2.10102402082508e-6,
  -5.69250639462346e-5,
  -7.34990630326855e-4,
  -2.9545998085402e-3,
  -1.60960333262415e-2,
];
const ERF_EVEN = [
  -1.45660718464996e-5,
  -2.13374055278905e-4,
  -1.68282697438203e-3,
  -7.37332916720468e-3,
  -1.42647390514189e-2,
];

/** erf(x) = x P(x^2) / Q(x^2), with x between -4 and 4, where erf is 1 in float32; StableHLO has no erf. */
function erf(w: Writer, x: Term): Term {
  const inner = w.binary("maximum", w.binary("minimum", x, w.constant(4)), w.constant(-4));
  const square = w.binary("multiply", inner, inner);
  const polynomial = (coefficients: readonly number[]) =>
    coefficients.slice(1).reduce(
      (sum, c) => w.binary("add", w.binary("multiply", sum, square), w.constant(c)),
      w.constant(coefficients[0]),
    );
  return w.binary(
    "divide",
    w.binary("multiply", inner, polynomial(ERF_ODD)),
    polynomial(ERF_EVEN),
  );
}

function lowerReduce(w: Writer, value: Value & { op: "reduce" }, x: Term): Term {
  const { fn, axes } = value;
  const [op, initial] = REDUCE[fn];
  const limit = x.type === "int32" && (fn === "max" || fn === "min") ? INT_LIMITS[fn] : initial;
  const total = w.reduce(op, x, { axes, initial: limit });
  if (fn !== "mean") return total;
  const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
  return w.binary("divide", total, w.constant(count, [], x.type));
}

type Convolution =
  & Value
  & Extract<Operation, { op: "conv" | "convInputGradient" | "convFilterGradient" }>;

/** Lowers a convolution y[o] = sum over k of x[o s + k d - p] w[k], with stride s, dilation d, pad p, or its gradients. */
function lowerConvolution(w: Writer, value: Convolution, [a, b]: readonly Term[]): Term {
  const { strides, dilations, pads: [top, left, bottom, right] } = value.window;
  const { shape } = value;
  const low = [top, left];
  switch (value.op) {
    case "conv":
      return w.convolution(a, b, {
        layout: NHWC,
        shape,
        strides,
        padding: [[top, bottom], [left, right]],
        rhsDilation: dilations,
      });
    case "convInputGradient": {
      const filter = w.reverse(w.transpose(b, [0, 1, 3, 2]), [0, 1]);
      const padding = [0, 1].map((i) => {
        const extent = (b.shape[i] - 1) * dilations[i];
        const dilated = (a.shape[i + 1] - 1) * strides[i] + 1;
        const before = extent - low[i];
        return [before, shape[i + 1] + extent - dilated - before];
      });
      return w.convolution(a, filter, {
        layout: NHWC,
        shape,
        padding,
        lhsDilation: strides,
        rhsDilation: dilations,
      });
    }
    case "convFilterGradient": {
      const isPlain = [...strides, ...dilations].every((size) => size === 1);
      if (isPlain && b.shape[1] * b.shape[2] > a.shape[1] * a.shape[2]) {
        return largeFilterGradient(w, { image: a, gradient: b, shape, low });
      }
      const padding = [0, 1].map((i) => {
        const extent = (shape[i] - 1) * dilations[i];
        const dilated = (b.shape[i + 1] - 1) * strides[i] + 1;
        return [low[i], extent + dilated - a.shape[i + 1] - low[i]];
      });
      return w.convolution(a, b, {
        layout: FILTER_GRADIENT,
        shape,
        strides: dilations,
        padding,
        rhsDilation: strides,
      });
    }
  }
}

/**
 * Writes the filter gradient if the output is larger than the image, as with padding by more than half the filter: the
 * image moves over the output's gradient, and the taps come out reversed. With the roles exchanged, XLA:GPU would swap
 * the two and no longer match cuDNN's backward-filter: it would run a forward convolution with a filter as large as the
 * image.
 */
function largeFilterGradient(
  w: Writer,
  { image, gradient, shape, low }: {
    readonly image: Term;
    readonly gradient: Term;
    readonly shape: readonly number[];
    readonly low: readonly number[];
  },
): Term {
  const [height, width, inChannels, outChannels] = shape;
  const padding = [0, 1].map((i) => [
    shape[i] - 1 - low[i],
    image.shape[i + 1] - gradient.shape[i + 1] + low[i],
  ]);
  const reversed = w.convolution(gradient, image, {
    layout: FILTER_GRADIENT,
    shape: [height, width, outChannels, inChannels],
    padding,
  });
  return w.transpose(w.reverse(reversed, [0, 1]), [0, 1, 3, 2]);
}
