/**
 * Convolutions that are one matrix product: those with a 1x1 filter or a filter as large as the input. The three
 * functions return the product, or undefined if a real convolution is needed. Shapes are NHWC, filters
 * [height, width, in, out].
 *
 * @module
 */
import { sizeOf, type Value, type Window } from "./graph.ts";

/** Window of a convolution and the shape of its result. */
export interface ConvResult {
  readonly window: Window;
  readonly shape: readonly number[];
}

/** The parts of Builder that the products need. */
interface Products {
  reshape(x: Value, shape: readonly number[]): Value;
  matmul(a: Value, b: Value, transposed: Transposed): Value;
}

interface Transposed {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** y [rows, out] = x [rows, depth] filter [depth, out]. */
export function convProduct(
  graph: Products,
  [x, filter]: readonly [Value, Value],
  { window, shape }: ConvResult,
): Value | undefined {
  if (!isProduct(window, { x: x.shape, y: shape, filter: filter.shape })) return undefined;
  const [rows, depth, out] = productShape(shape, filter.shape);
  const [left, right] = [graph.reshape(x, [rows, depth]), graph.reshape(filter, [depth, out])];
  const y = graph.matmul(left, right, { transposeA: false, transposeB: false });
  return graph.reshape(y, shape);
}

/** dx [rows, depth] = dy [rows, out] filter [depth, out]^T. */
export function convInputGradientProduct(
  graph: Products,
  [dy, filter]: readonly [Value, Value],
  { window, shape }: ConvResult,
): Value | undefined {
  if (!isProduct(window, { x: shape, y: dy.shape, filter: filter.shape })) return undefined;
  const [rows, depth, out] = productShape(dy.shape, filter.shape);
  const [left, right] = [graph.reshape(dy, [rows, out]), graph.reshape(filter, [depth, out])];
  const dx = graph.matmul(left, right, { transposeA: false, transposeB: true });
  return graph.reshape(dx, shape);
}

/** dfilter [depth, out] = x [rows, depth]^T dy [rows, out]. */
export function convFilterGradientProduct(
  graph: Products,
  [x, dy]: readonly [Value, Value],
  { window, shape }: ConvResult,
): Value | undefined {
  if (!isProduct(window, { x: x.shape, y: dy.shape, filter: shape })) return undefined;
  const [rows, depth, out] = productShape(dy.shape, shape);
  const [left, right] = [graph.reshape(x, [rows, depth]), graph.reshape(dy, [rows, out])];
  const dw = graph.matmul(left, right, { transposeA: true, transposeB: false });
  return graph.reshape(dw, shape);
}

function isProduct(
  { strides, pads }: Window,
  { x, y, filter: [height, width] }: {
    readonly x: readonly number[];
    readonly y: readonly number[];
    readonly filter: readonly number[];
  },
): boolean {
  if (pads.some((p) => p !== 0)) return false;
  if (height === 1 && width === 1) return strides.every((s) => s === 1);
  return y[1] === 1 && y[2] === 1 && x[1] === height && x[2] === width;
}

/** Rows, inner dimension and columns of the product of a convolution with output [n, h, w, out]. */
function productShape(
  [n, h, w]: readonly number[],
  filter: readonly number[],
): [number, number, number] {
  return [n * h * w, sizeOf(filter.slice(0, 3)), filter[3]];
}
