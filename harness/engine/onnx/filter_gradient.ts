/**
 * The gradient of a convolution with respect to its filter, summed over images n and output positions p:
 *
 *     dW[i, j, c, k] = sum x[n, s p + (i, j) - pad, c] dy[n, p, k].
 *
 * In blocked layout this is itself a convolution, with the images as channels and dy as the filter. Read line by line,
 * x is an image [1, n, h, w c] of scalars; the scalars that multiply neighbouring elements of dy are s lines and s c
 * scalars apart (the dilations); and the output pixel (i, j c + c') is dW[i, j, c', k]. No patches are cut out of x, and
 * the output lines are long, which suits the kernels: the layers of the paper's networks run at 170 to 195 GFLOP/s
 * including all copies, whereas matrix products of patches reach 95 to 140 (two cores with AVX-512). The products remain
 * for channels that do not fill blocks.
 *
 * @module
 */
import { blockedConv, cropped } from "./blocked_convolution.ts";
import { type FilterGradient, fromPatches } from "./filter_gradient_products.ts";
import type { Value, Window } from "../graph/graph.ts";
import type { Layouts } from "./layouts.ts";

/** An image and the gradient with respect to its convolution. */
type Pair = readonly [x: Value, dy: Value];

/** Lowers dW [kh, kw, in, out], summed over the pairs of inputs, to the plain layout. */
export function lowerConvFilterGradient(l: Layouts, value: FilterGradient): string {
  const { inputs, shape, window } = value;
  const { strides, pads, dilations } = window;
  const [height, width, inChannels, outChannels] = shape;
  const pairs = inputs.flatMap((x, i): Pair[] => i % 2 === 0 ? [[x, inputs[i + 1]]] : []);
  const fillsBlocks = (v: Value) => l.fitsBlocks(v.shape[3]) || l.imagesPerBlock(v.shape) === 2;
  if (fillsBlocks(inputs[1]) && dilations.every((d) => d === 1)) {
    return fromConvolution(l, pairs, { low: [pads[0], pads[1]], strides, shape });
  }
  if ([...strides, ...dilations].every((s) => s === 1)) {
    // With q = p + (i, j) - pad, dW is the sum of dy[n, q + pad - (i, j), k] x[n, q, c]: x and dy can swap roles.
    const turned = pairs.map(([x, dy]): Pair => [dy, x]);
    const swapped = [height, width, outChannels, inChannels];
    const low = [height - 1 - pads[0], width - 1 - pads[1]] as const;
    if (fillsBlocks(inputs[0])) {
      return upright(l, fromConvolution(l, turned, { low, strides, shape: swapped }), swapped);
    }
    if (outChannels < inChannels) { // patches of dy are smaller
      const high = [height - 1 - pads[2], width - 1 - pads[3]] as const;
      const to = { shape: swapped, window: { ...window, pads: [...low, ...high] as const } };
      return upright(l, sum(l, turned.map((pair) => fromPatches(l, to, pair))), swapped);
    }
  }
  return sum(l, pairs.map((pair) => fromPatches(l, value, pair)));
}

/** Turns a gradient [kh, kw, out, in], computed with x and dy in each other's role, into [kh, kw, in, out]. */
function upright(l: Layouts, turned: string, shape: readonly number[]): string {
  const [height, width] = shape;
  const reversed = l.emitter.slice(turned, {
    shape,
    axes: [0, 1],
    begin: [height - 1, width - 1],
    end: [-height - 1, -width - 1], // one before the first element
    steps: [-1, -1],
  });
  return l.emitter.transpose(reversed, [0, 1, 3, 2]);
}

function sum(l: Layouts, terms: readonly string[]): string {
  return terms.reduce((a, b) => l.emitter.node("Add", [a, b]));
}

/** Parameters of the filter gradient of a pair. */
interface Correlation {
  /** Padding of x, above and on the left. */
  readonly low: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Shape of the result: [kh, kw, in, out]. */
  readonly shape: readonly number[];
}

/** Neighbouring taps of a line and the columns of dy over which they are summed. */
interface TapGroup {
  readonly taps: number;
  readonly from: number;
  readonly columns: number;
  /** Padding of x on the left. */
  readonly left: number;
}

/** Computes the gradient by convolutions, each of which adds to the sum of the previous ones. */
function fromConvolution(l: Layouts, pairs: readonly Pair[], to: Correlation): string {
  const [height, , inChannels, outChannels] = to.shape;
  const dilations = [to.strides[0], to.strides[1] * inChannels] as const;
  const convolve = ({ pads, ...operands }: Term, sum?: string) =>
    blockedConv(l, { ...operands, sum, window: { strides: [1, 1], pads, dilations } });
  const e = l.emitter;
  const [x, dy] = pairs[0];
  const images = l.imagesPerBlock(dy.shape);
  const places = images === 2 || l.imagesPerBlock(x.shape) === 2 ? [0, 1] : [undefined];
  const groups = tapGroups(l, pairs[0], to).map((group) => {
    const added = (some: readonly (number | undefined)[]) => {
      const [first, ...others] = some.flatMap((place) =>
        pairs.flatMap((pair) => terms(l, pair, { to, group, place }))
      );
      const total = others.reduce((sum, term) => convolve(term, sum), convolve(first));
      const shape = [height, group.taps * inChannels, images * outChannels];
      return { name: e.reshape(l.reorderOutput(total, shape[2]), shape), shape };
    };
    if (images === 1) return added(places).name;
    // Of two images that share a block, each meets its own x in its own half of the result's channels.
    return sum(
      l,
      [0, 1].map((place) => {
        const { name, shape } = added([place]);
        const [begin, end] = [[place * outChannels], [(place + 1) * outChannels]];
        return e.slice(name, { shape, axes: [2], begin, end });
      }),
    );
  });
  return e.reshape(
    groups.length === 1 ? groups[0] : e.node("Concat", groups, { axis: 1 }),
    to.shape,
  );
}

/**
 * Groups the taps of a line. Usually one group has all taps and all of x, padded. If the padding is so wide that every
 * tap meets every column of x (s taps at stride s), each group has s taps and the columns of dy that they meet, which
 * avoids multiplications by padding.
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
  // Groups with short output lines would be slower.
  if (!isFull || stride * shape[2] < l.block) return [{ taps, from: 0, columns, left }];
  return Array.from({ length: count }, (_, i) => ({
    taps: stride,
    from: offset - i,
    columns: cells,
    left: 0,
  }));
}

/** Operands of one convolution. */
interface Term {
  readonly x: string;
  readonly filter: string;
  readonly kernel: readonly number[];
  readonly pads: Window["pads"];
}

/**
 * Terms of one pair, each with fewer images than a block has channels, which the operator reads unblocked; of all images, or
 * with `place` of every second one. Those that share a block with another are read with it as the filter.
 */
function terms(
  l: Layouts,
  [x, dy]: Pair,
  { to, group, place }: { to: Correlation; group: TapGroup; place: number | undefined },
): Term[] {
  const e = l.emitter;
  const [n, outChannels, rows, allColumns] = l.nominal(dy.shape);
  const { from, columns } = group;
  const image = lineImage(l, x, { to, group, rows, place });
  const channelBlocks = outChannels / l.block;
  const size = rows * allColumns * l.block;
  const blocks = l.blocked(dy);
  const filter = channelBlocks === 1
    ? blocks
    : e.transpose(e.reshape(blocks, [n, channelBlocks, size]), [1, 0, 2]);
  const count = image.shape[0];
  const step = n / count; // 2 where every second image of the filter is needed
  const offset = step === 1 ? 0 : (place ?? 0) * size;
  return parts(count, l.block - 1).map(([begin, end]) => {
    const isAll = end - begin === count;
    const lines = [(end - begin) * channelBlocks * rows, allColumns * l.block];
    const some = isAll && step === 1
      ? filter
      : e.slice(e.reshape(filter, [channelBlocks, count, step * size]), {
        shape: [channelBlocks, count, step * size],
        axes: step === 1 ? [1] : [1, 2],
        begin: step === 1 ? [begin] : [begin, offset],
        end: step === 1 ? [end] : [end, offset + size],
      });
    const whole = e.reshape(some, lines);
    const met = columns === allColumns ? whole : e.slice(whole, {
      shape: lines,
      axes: [1],
      begin: [from * l.block],
      end: [(from + columns) * l.block],
    });
    const { name, shape } = image;
    const images = isAll ? name : e.slice(name, { shape, axes: [0], begin: [begin], end: [end] });
    return {
      x: e.reshape(images, [1, end - begin, ...shape.slice(1)]),
      filter: e.reshape(met, [outChannels, end - begin, rows, columns]),
      kernel: [rows, columns],
      pads: image.pads,
    };
  });
}

/**
 * Reads x, or every second image of it, as an image [n, lines, scalars]; `pads` are the lines that remain to be padded above and
 * below.
 */
function lineImage(
  l: Layouts,
  x: Value,
  { to, group, rows, place }: {
    readonly to: Correlation;
    readonly group: TapGroup;
    readonly rows: number;
    readonly place: number | undefined;
  },
) {
  const [all, height, width, channels] = x.shape;
  const n = place === undefined ? all : all / 2;
  const [top] = to.low;
  // Extent that dy's taps cover: less than x and its padding if the stride leaves a remainder.
  const depth = (rows - 1) * to.strides[0] + to.shape[0];
  const extent = (group.columns - 1) * to.strides[1] + group.taps;
  const images = place === undefined ? l.plain(x) : l.everySecond(x, place);
  const { x: inner, pads: [above, before, below, after] } = cropped(l, images, {
    shape: [n, height, width, channels],
    pads: [top, group.left, depth - height - top, extent - width - group.left],
  });
  const lineCount = depth - above - below;
  const e = l.emitter;
  const lines = e.reshape(inner, [n * lineCount, (extent - before - after) * channels]);
  // Pad here because the operator computes outputs that touch a pad one by one, and here most do.
  const padded = before + after === 0 ? lines : e.node("Pad", [
    lines,
    e.ints([0, before * channels, 0, after * channels]),
    e.float(0),
  ]);
  const shape = [n, lineCount, extent * channels];
  return { name: e.reshape(padded, shape), shape, pads: [above, 0, below, 0] as const };
}

/** Divides [0, count) into the fewest parts of at most `most`, of about equal size. */
function parts(count: number, most: number): [number, number][] {
  const number = Math.ceil(count / most);
  const bound = (i: number) => Math.floor(i * count / number);
  return Array.from({ length: number }, (_, i) => [bound(i), bound(i + 1)]);
}
