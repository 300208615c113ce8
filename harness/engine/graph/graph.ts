/**
 * The graph of a traced step: about twenty primitives on arrays of known shape, independent of tfjs and of
 * the target. Values are immutable and hash-consed: requesting the same operation on the same inputs twice
 * returns the same value, so common subexpressions are computed once.
 *
 * Layouts are those of tfjs: images [n, h, w, c], filters [h, w, in, out].
 *
 * @module
 */
import type { Key, NoiseKind } from "../../core/noise.ts";

/** Element types inside a graph. */
export type Type = "float32" | "int32" | "bool";

/** Elementwise functions of one array; `swish` is x sigmoid(x), `swishGradient` its derivative. */
export type UnaryFn =
  | "abs"
  | "cos"
  | "erf"
  | "exp"
  | "expm1"
  | "log"
  | "log1p"
  | "logicalNot"
  | "neg"
  | "reciprocal"
  | "relu"
  | "rsqrt"
  | "sigmoid"
  | "sign"
  | "sin"
  | "softplus"
  | "sqrt"
  | "swish"
  | "swishGradient"
  | "tanh";

/** Elementwise functions of two arrays, broadcast as in numpy. */
export type BinaryFn = "add" | "div" | "max" | "min" | "mul" | "pow" | "sub";

/** Elementwise comparisons and logic: two arrays to bool. */
export type CompareFn = "and" | "equal" | "greater" | "greaterEqual" | "less" | "lessEqual" | "or";

/** Reductions over whole axes; the axes disappear. */
export type ReduceFn = "max" | "mean" | "min" | "prod" | "sum";

/** The sliding window of a convolution; pads are top, left, bottom, right and may be negative (a crop). */
export interface Window {
  readonly strides: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly dilations: readonly [number, number];
}

/** The operation that computes a value. */
export type Operation =
  /** An argument of the function. */
  | { readonly op: "input"; readonly name: string }
  /** A flat range of an array fed from the host: inputs (input or noise). */
  | { readonly op: "view"; readonly offset: number }
  /** A literal; a single element is repeated (a splat). */
  | { readonly op: "constant"; readonly data: readonly number[] }
  /** Draws [counters, width]: inputs (counters int32 [m]). */
  | { readonly op: "noise"; readonly key: Key; readonly width: number; readonly kind: NoiseKind }
  | { readonly op: "unary"; readonly fn: UnaryFn }
  | { readonly op: "leakyRelu"; readonly alpha: number }
  | { readonly op: "binary"; readonly fn: BinaryFn }
  | { readonly op: "compare"; readonly fn: CompareFn }
  /** Inputs (condition, then, else), broadcast. */
  | { readonly op: "select" }
  | { readonly op: "cast" }
  | { readonly op: "reshape" }
  | { readonly op: "broadcast" }
  | { readonly op: "transpose"; readonly perm: readonly number[] }
  | { readonly op: "reverse"; readonly axes: readonly number[] }
  | { readonly op: "slice"; readonly begin: readonly number[]; readonly steps: readonly number[] }
  | { readonly op: "concat"; readonly axis: number }
  | {
    readonly op: "pad";
    readonly low: readonly number[];
    readonly high: readonly number[];
    readonly value: number;
  }
  | { readonly op: "reduce"; readonly fn: ReduceFn; readonly axes: readonly number[] }
  /** [..., m, k] x [..., k, n], each optionally with its last two axes swapped. */
  | { readonly op: "matmul"; readonly transposeA: boolean; readonly transposeB: boolean }
  /** Inputs (x [n, h, w, in], filter). */
  | { readonly op: "conv"; readonly window: Window }
  /** Inputs (dy, filter): gradient of `conv` in x, which is also the transposed convolution. */
  | { readonly op: "convInputGradient"; readonly window: Window }
  /** Inputs (x, dy), ...: gradient of `conv` in its filter, summed over the pairs. */
  | { readonly op: "convFilterGradient"; readonly window: Window }
  /** Rows of the first input along `axis`, selected by the second input (int32). */
  | { readonly op: "gather"; readonly axis: number }
  /** A carried tensor or a slice of a loop, inside its body. */
  | { readonly op: "parameter"; readonly name: string }
  /** Inputs (initial carried..., each...), where `each` have a leading axis of at least `from + count`. */
  | { readonly op: "loop"; readonly count: number; readonly from: number; readonly body: Body }
  /** One carried tensor after the loop: input (loop). */
  | { readonly op: "result"; readonly index: number };

/** The body of a loop; it may use values from outside. */
export interface Body {
  readonly carried: readonly Value[];
  readonly each: readonly Value[];
  readonly outputs: readonly Value[];
}

/** A node of the graph and its result. Ids increase in creation order, so the order of ids is topological. */
export type Value = Operation & {
  readonly id: number;
  readonly inputs: readonly Value[];
  readonly shape: readonly number[];
  readonly type: Type;
};

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** The shape of an elementwise result. Throws RangeError if the shapes do not broadcast. */
export function broadcastShape(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((s) => s[i - rank + s.length] ?? 1).filter((d) => d !== 1);
    if (sizes.some((d) => d !== sizes[0])) {
      throw new RangeError(`Shapes ${shapes.map((s) => `[${s}]`).join(" and ")} do not broadcast`);
    }
    return sizes[0] ?? 1;
  });
}

/** The one number that a constant repeats, or undefined. */
export function splatOf(value: Value): number | undefined {
  return value.op === "constant" && value.data.length === 1 ? value.data[0] : undefined;
}

/** Whether each element of the result depends on one element of each input (or on a scalar). */
export function isElementwise({ op }: Value): boolean {
  return op === "unary" || op === "binary" || op === "compare" || op === "select" ||
    op === "leakyRelu" || op === "cast";
}
