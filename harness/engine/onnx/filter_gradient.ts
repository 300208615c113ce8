/**
 * The gradient of a convolution in its filter, summed over images n and positions p of the output:
 *
 *     dW[i, j, c, k] = sum x[n, s p + (i, j) - pad, c] dy[n, p, k].
 *
 * In blocked layout this is itself a convolution, with the images as channels and dy as the filter: read line by line,
 * x is an image [1, n, h, w c] of single numbers; the numbers that meet neighbours in dy are s lines and s c numbers apart
 * (dilations); and the output's pixel (i, j c + c') is dW[i, j, c', k]. Nothing is cut out of x, and the output's lines
 * are long, as the kernels like them: the layers of the paper's networks run at 170 to 195 GFLOP/s with all copies,
 * where matrix products of patches reach 95 to 140 (two cores with AVX-512). Those remain where there are no blocks.
 *
 * @module
 */
import { blockedConv, cropped } from "./blocked_convolution.ts";
import { type FilterGradient, fromPatches } from "./filter_gradient_products.ts";
import type { Value, Window } from "../graph/graph.ts";
import type { Layouts } from "./layouts.ts";

/** An image, and the gradient of what it was convolved to. */
type Pair = readonly [x: Value, dy: Value];

/** dW [kh, kw, in, out] in plain layout, summed over the pairs that are the inputs. */
export function lowerConvFilterGradient(l: Layouts, value: FilterGradient): string {
  const { inputs, shape, window: { strides, pads, dilations } } = value;
  const [height, width, inChannels, outChannels] = shape;
  const pairs = inputs.flatMap((x, i): Pair[] => i % 2 === 0 ? [[x, inputs[i + 1]]] : []);
  const e = l.emitter;
  if (l.fitsBlocks(outChannels) && dilations.every((d) => d === 1)) {
    return fromConvolution(l, pairs, { low: [pads[0], pads[1]], strides, shape });
  }
  if (l.fitsBlocks(inChannels) && [...strides, ...dilations].every((s) => s === 1)) {
    // At stride 1, with q = p + (i, j) - pad, it is the sum of dy[n, q + pad - (i, j), k] x[n, q, c]: the roles swap.
    const swapped = [height, width, outChannels, inChannels];
    const turned = fromConvolution(l, pairs.map(([x, dy]) => [dy, x]), {
      low: [height - 1 - pads[0], width - 1 - pads[1]],
      strides,
      shape: swapped,
    });
    const upright = e.slice(turned, {
      shape: swapped,
      axes: [0, 1],
      begin: [height - 1, width - 1],
      end: [-height - 1, -width - 1], // before the first
      steps: [-1, -1],
    });
    return e.transpose(upright, [0, 1, 3, 2]);
  }
  return pairs.map((pair) => fromPatches(l, value, pair)).reduce((a, b) => e.node("Add", [a, b]));
}

/** What makes a filter gradient of a pair. */
interface Correlation {
  /** Pads of x, above and to the left. */
  readonly low: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Of the result: [kh, kw, in, out]. */
  readonly shape: readonly number[];
}

/** Neighbouring taps of a line, and the columns of dy that they are summed over. */
interface TapGroup {
  readonly taps: number;
  readonly from: number;
  readonly columns: number;
  /** Pad of x to the left. */
  readonly left: number;
}

/** By convolutions, each of which adds to the sum of those before it. */
function fromConvolution(l: Layouts, pairs: readonly Pair[], to: Correlation): string {
  const [height, , inChannels, outChannels] = to.shape;
  const dilations = [to.strides[0], to.strides[1] * inChannels] as const;
  const convolve = ({ pads, ...operands }: Term, sum?: string) =>
    blockedConv(l, { ...operands, sum, window: { strides: [1, 1], pads, dilations } });
  const e = l.emitter;
  const groups = tapGroups(l, pairs[0], to).map((group) => {
    const [first, ...others] = pairs.flatMap((pair) => terms(l, pair, { to, group }));
    const sum = others.reduce((sum, term) => convolve(term, sum), convolve(first));
    const width = group.taps * inChannels;
    return e.reshape(l.reorderOutput(sum, outChannels), [height, width, outChannels]);
  });
  return e.reshape(
    groups.length === 1 ? groups[0] : e.node("Concat", groups, { axis: 1 }),
    to.shape,
  );
}

/**
 * All taps of a line and all of x, padded; or, where the pads are so wide that every tap meets every column of x (s of
 * them at stride s), groups of s taps with the columns of dy that they meet: then no pad is multiplied.
 */
function tapGroups(
  l: Layouts,
  [x, dy]: Pair,
  { low: [, left], strides, shape }: Correlation,
): TapGroup[] {
  const [stride, width, columns, taps] = [strides[1], x.shape[2], dy.shape[2], shape[1]];
  const [offset, cells, count] = [left / stride, width / stride, taps / stride];
  const isFull = [offset, cells, count].every(Number.isInteger) && offset >= count - 1 &&
    columns >= offset + cells;
  // Short lines of outputs would cost more.
  if (!isFull || stride * shape[2] < l.block) return [{ taps, from: 0, columns, left }];
  return Array.from({ length: count }, (_, i) => ({
    taps: stride,
    from: offset - i,
    columns: cells,
    left: 0,
  }));
}

/** Operands of one of the convolutions. */
interface Term {
  readonly x: string;
  readonly filter: string;
  readonly kernel: readonly number[];
  readonly pads: Window["pads"];
}

/** The terms of one pair: of fewer images than fill a block, since the operator takes such channels as they are. */
function terms(
  l: Layouts,
  [x, dy]: Pair,
  { to, group }: { to: Correlation; group: TapGroup },
): Term[] {
  const e = l.emitter;
  const [n, rows, allColumns, outChannels] = dy.shape;
  const { from, columns } = group;
  const image = lineImage(l, x, { to, group, rows });
  const blocks = [n, outChannels / l.block, rows * allColumns * l.block];
  const filter = e.reshape(l.blocked(dy), blocks);
  return parts(n, l.block - 1).map(([begin, end]) => {
    const some = (name: string, shape: readonly number[]) =>
      end - begin === n ? name : e.slice(name, { shape, axes: [0], begin: [begin], end: [end] });
    const lines = [(end - begin) * outChannels / l.block * rows, allColumns * l.block];
    const whole = e.reshape(e.transpose(some(filter, blocks), [1, 0, 2]), lines);
    const met = columns === allColumns ? whole : e.slice(whole, {
      shape: lines,
      axes: [1],
      begin: [from * l.block],
      end: [(from + columns) * l.block],
    });
    return {
      x: e.reshape(some(image.name, image.shape), [1, end - begin, ...image.shape.slice(1)]),
      filter: e.reshape(met, [outChannels, end - begin, rows, columns]),
      kernel: [rows, columns],
      pads: image.pads,
    };
  });
}

/** x as an image [n, lines, numbers] and the lines that are still to be padded, above and below. */
function lineImage(
  l: Layouts,
  x: Value,
  { to, group, rows }: { to: Correlation; group: TapGroup; rows: number },
) {
  const [n, height, width, channels] = x.shape;
  const [top] = to.low;
  // What dy's taps reach: less than x and its pads where the stride leaves a rest.
  const depth = (rows - 1) * to.strides[0] + to.shape[0];
  const reach = (group.columns - 1) * to.strides[1] + group.taps;
  const { x: inner, pads: [above, before, below, after] } = cropped(l, l.plain(x), {
    shape: x.shape,
    pads: [top, group.left, depth - height - top, reach - width - group.left],
  });
  const lineCount = depth - above - below;
  const e = l.emitter;
  const lines = e.reshape(inner, [n * lineCount, (reach - before - after) * channels]);
  // Padded here, not by the operator: that computes outputs that touch a pad one by one, and here most do.
  const padded = before + after === 0 ? lines : e.node("Pad", [
    lines,
    e.ints([0, before * channels, 0, after * channels]),
    e.float(0),
  ]);
  const shape = [n, lineCount, reach * channels];
  return { name: e.reshape(padded, shape), shape, pads: [above, 0, below, 0] as const };
}

/** [0, count) in as few parts of at most `most` as it takes, of about equal size. */
function parts(count: number, most: number): [number, number][] {
  const number = Math.ceil(count / most);
  const bound = (i: number) => Math.floor(i * count / number);
  return Array.from({ length: number }, (_, i) => [bound(i), bound(i + 1)]);
}
