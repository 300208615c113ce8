/** Lowers elementwise operations to ONNX nodes. @module */
import type { Emitter } from "./emit.ts";
import type { UnaryFn, Value } from "../graph/graph.ts";

const CONTRIB = "com.microsoft";

/** Functions that are one ONNX operator. */
const UNARY: Readonly<Partial<Record<UnaryFn, string>>> = {
  abs: "Abs",
  cos: "Cos",
  exp: "Exp",
  log: "Log",
  logicalNot: "Not",
  neg: "Neg",
  reciprocal: "Reciprocal",
  relu: "Relu",
  sigmoid: "Sigmoid",
  sign: "Sign",
  sin: "Sin",
  softplus: "Softplus",
  sqrt: "Sqrt",
  tanh: "Tanh",
};

const BINARY = {
  add: "Add",
  div: "Div",
  max: "Max",
  min: "Min",
  mul: "Mul",
  pow: "Pow",
  sub: "Sub",
} as const;

const COMPARE = {
  and: "And",
  equal: "Equal",
  greater: "Greater",
  greaterEqual: "GreaterOrEqual",
  less: "Less",
  lessEqual: "LessOrEqual",
  or: "Or",
} as const;

/** Writes an elementwise operation on `inputs`, which share a layout, and returns its name. */
export function lowerElementwise(e: Emitter, value: Value, inputs: readonly string[]): string {
  const [x] = inputs;
  switch (value.op) {
    case "binary":
      return e.node(BINARY[value.fn], inputs);
    case "compare":
      return e.node(COMPARE[value.fn], inputs);
    case "select":
      return e.node("Where", inputs);
    case "cast":
      return e.cast(x, value.type);
    case "leakyRelu":
      return e.node("LeakyRelu", inputs, { alpha: { float: value.alpha } });
    case "unary":
      return lowerUnary(e, value.fn, x);
    default:
      throw new Error(`Operation ${value.op} is not elementwise`);
  }
}

function lowerUnary(e: Emitter, fn: UnaryFn, x: string): string {
  const one = e.float(1);
  switch (fn) {
    case "rsqrt":
      return e.node("Reciprocal", [e.node("Sqrt", [x])]);
    case "expm1": // tanh(x/2) (e^x + 1): exact at small x, where e^x - 1 cancels
      return e.node("Mul", [
        e.node("Tanh", [e.node("Mul", [x, e.float(0.5)])]),
        e.node("Add", [e.node("Exp", [x]), one]),
      ]);
    case "log1p": { // log(u) x / (u - 1) with u = fl(1 + x), and x where u = 1 (Kahan)
      const u = e.node("Add", [x, one]);
      const isSmall = e.node("Equal", [u, one]);
      const scaled = e.node("Div", [
        e.node("Mul", [e.node("Log", [u]), x]),
        e.node("Sub", [u, one]),
      ]);
      return e.node("Where", [isSmall, x, scaled]);
    }
    case "swish":
      return e.node("QuickGelu", [x], { alpha: { float: 1 } }, CONTRIB);
    case "swishGradient": { // s + y (1 - s), with s = sigmoid(x), y = x s
      const s = e.node("Sigmoid", [x]);
      const y = lowerUnary(e, "swish", x);
      return e.node("Add", [s, e.node("Sub", [y, e.node("Mul", [y, s])])]);
    }
    default: {
      const op = UNARY[fn];
      if (!op) {
        throw new Error(
          `Function ${fn} has no ONNX lowering: add it to harness/engine/onnx/onnx_elementwise.ts`,
        );
      }
      return e.node(op, [x]);
    }
  }
}
