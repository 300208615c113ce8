/**
 * Lowers elementwise operations and sums of blocked arrays, so that a chain of them between convolutions is never reordered.
 *
 * @module
 */
import { blockBias } from "./blocked_convolution.ts";
import { isElementwise, sameShape, sizeOf, type UnaryFn, type Value } from "../graph/graph.ts";
import type { Layouts } from "./layouts.ts";
import { lowerElementwise } from "./onnx_elementwise.ts";

/** Functions of one array that are finite for finite arguments, and do not grow faster than they. */
const BOUNDED: ReadonlySet<UnaryFn> = new Set(
  [
    "abs",
    "cos",
    "erf",
    "logicalNot",
    "neg",
    "relu",
    "sigmoid",
    "sign",
    "sin",
    "softplus",
    "swish",
    "swishGradient",
    "tanh",
  ] as const,
);

/** Lowers elementwise operations and sums of blocked arrays; returns false if the plain layout is needed. */
export function lowerBlocked(l: Layouts, value: Value): boolean {
  if (!value.inputs.some((v) => isBlockedImage(l, v))) return false;
  if (value.op === "reduce" && value.fn === "sum") {
    if (value.axes.join() === "0,1,2") return channelSum(l, value);
    return value.axes.length === 4 && wholeSum(l, value);
  }
  return isElementwise(value) && value.shape.length === 4 && elementwise(l, value);
}

function isBlockedImage(l: Layouts, v: Value): boolean {
  return v.shape.length === 4 && l.isBlocked(v);
}

/** Whether the blocks of a value have no elements without a meaning. */
function isFull(l: Layouts, { shape }: Value): boolean {
  return l.fitsBlocks(shape[3]) || l.imagesPerBlock(shape) === 2;
}

/** Sums each channel, one axis at a time: 0.06 ms instead of 0.33 ms for ten images 34x34x64. */
function channelSum(l: Layouts, value: Value): boolean {
  const [x] = value.inputs;
  const channels = x.shape[3];
  const images = l.imagesPerBlock(x.shape);
  const [n, c, h, w] = l.nominal(x.shape);
  const e = l.emitter;
  const sum = (name: string, shape: readonly number[], axis: number) =>
    e.node("ReduceSum", [e.reshape(name, shape), e.ints([axis])], { keepdims: 0 });
  const sums = sum(sum(l.blocked(x), [n * c / l.block, h * w, l.block], 1), [n, c], 0);
  const own = images === 2
    ? sum(sums, [images, channels], 0)
    : c === channels
    ? sums
    : e.slice(sums, { shape: [c], axes: [0], begin: [0], end: [channels] });
  l.setPlain(value, e.reshape(own, value.shape));
  return true;
}

/** Sums everything, unless there are elements of no meaning. */
function wholeSum(l: Layouts, value: Value): boolean {
  const [x] = value.inputs;
  if (!isFull(l, x)) return false;
  const e = l.emitter;
  const axes = e.ints([0, 1, 2, 3]);
  l.setPlain(value, e.node("ReduceSum", [l.blocked(x), axes], { keepdims: 0 }));
  return true;
}

/** Keeps the layout if the operands are blocked images, vectors of their channels and scalars. */
function elementwise(l: Layouts, value: Value): boolean {
  const channels = value.shape[3];
  const isImage = (v: Value) => sameShape(v.shape, value.shape);
  const isVector = (v: Value) => isChannelVector(v, channels) && sizeOf(v.shape) > 1;
  const isScalar = (v: Value) => sizeOf(v.shape) === 1;
  if (!value.inputs.every((v) => isScalar(v) || isVector(v) || isImage(v))) return false;
  // Elements of no meaning must be finite; images in plain layout could not be blocked without a copy.
  const keeps = l.fitsBlocks(channels) ||
    (isFull(l, value) || staysFinite(value)) &&
      value.inputs.every((v) => !isImage(v) || l.isBlocked(v));
  if (!keeps) return false;
  const e = l.emitter;
  const five = value.inputs.some(isVector);
  const rank = five ? 5 : 4;
  const images = l.imagesPerBlock(value.shape);
  const [n, c, h, w] = l.nominal(value.shape);
  const operands = value.inputs.map((v) => {
    if (isScalar(v)) return e.scalar(l.plain(v), rank);
    if (isVector(v)) {
      const vector = blockBias(l, e.reshape(l.plain(v), [channels]), { channels, images });
      return e.reshape(vector, [1, c / l.block, 1, 1, l.block]);
    }
    return five ? l.fiveAxes(l.blocked(v), v.shape) : l.blocked(v);
  });
  const name = lowerElementwise(e, value, operands, { rank });
  l.setBlocked(value, five ? e.reshape(name, [n, c, h, w]) : name);
  return true;
}

/** Whether an elementwise operation is finite wherever its operands are. */
function staysFinite(value: Value): boolean {
  switch (value.op) {
    case "unary":
      return BOUNDED.has(value.fn);
    case "binary":
      return value.fn !== "div" && value.fn !== "pow";
    default:
      return true;
  }
}

/** Whether `value` is a vector along the last axis of [n, h, w, channels]. */
export function isChannelVector(value: Value, channels: number): boolean {
  return value.shape.at(-1) === channels && sizeOf(value.shape) === channels;
}
