/**
 * The gradient of a convolution in its filter, summed over images n and positions p of the output:
 *
 *     dW[i, j, c, k] = sum x[n, s p + (i, j) - pad, c] dy[n, p, k].
 *
 * In blocked layout this is itself a convolution, with the images as channels and dy as the filter: read line by line,
 * x is an image [1, n, h, w c] of single numbers; the numbers that meet neighbours in dy are s lines and s c numbers apart
 * (dilations); and the output's pixel (i, j c + c') is dW[i, j, c', k]. Nothing is cut out of x, and the output's lines
 * are long, as the kernels like them: the layers of the paper's networks run at 170 to 195 GFLOP/s with all copies,
 * where the matrix products of {@link fromPatches} reach 95 to 140 (two cores with AVX-512).
 *
 * @module
 */
import { blockedConv, cropped } from "./convolutions.ts";
import type { Value, Window } from "./graph.ts";
import type { Lowering } from "./lower.ts";

/** Inner sizes below which one product of all patches side by side beats one product each. */
const NARROW = 64;

type FilterGradient = Value & { readonly op: "convFilterGradient" };

/** An image, and the gradient of what it was convolved to. */
type Pair = readonly [x: Value, dy: Value];

/** dW [kh, kw, in, out] in plain layout, summed over the pairs that are the inputs. */
export function lowerConvFilterGradient(l: Lowering, value: FilterGradient): string {
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

/** By convolutions, each of which adds to the sum of those before it. */
function fromConvolution(l: Lowering, pairs: readonly Pair[], to: Correlation): string {
  const [, , inChannels, outChannels] = to.shape;
  const dilations = [to.strides[0], to.strides[1] * inChannels] as const;
  const convolve = ({ pads, ...operands }: Term, sum?: string) =>
    blockedConv(l, { ...operands, sum, window: { strides: [1, 1], pads, dilations } });
  const [first, ...others] = pairs.flatMap((pair) => terms(l, pair, to));
  const sum = others.reduce((sum, term) => convolve(term, sum), convolve(first));
  return l.emitter.reshape(l.reorderOutput(sum, outChannels), to.shape);
}

/** Operands of one of the convolutions. */
interface Term {
  readonly x: string;
  readonly filter: string;
  readonly kernel: readonly number[];
  readonly pads: Window["pads"];
}

/** The terms of one pair: of fewer images than fill a block, since the operator takes such channels as they are. */
function terms(l: Lowering, [x, dy]: Pair, to: Correlation): Term[] {
  const e = l.emitter;
  const [n, rows, columns, outChannels] = dy.shape;
  const image = lineImage(l, x, { to, rows, columns });
  const blocks = [n, outChannels / l.block, rows * columns * l.block];
  const filter = e.reshape(l.blocked(dy), blocks);
  return parts(n, l.block - 1).map(([begin, end]) => {
    const some = (name: string, shape: readonly number[]) =>
      end - begin === n ? name : e.slice(name, { shape, axes: [0], begin: [begin], end: [end] });
    return {
      x: e.reshape(some(image.name, image.shape), [1, end - begin, ...image.shape.slice(1)]),
      filter: e.reshape(
        e.transpose(some(filter, blocks), [1, 0, 2]),
        [outChannels, end - begin, rows, columns],
      ),
      kernel: [rows, columns],
      pads: image.pads,
    };
  });
}

/** x as an image [n, lines, numbers] and the lines that are still to be padded, above and below. */
function lineImage(
  l: Lowering,
  x: Value,
  { to, rows, columns }: { to: Correlation; rows: number; columns: number },
) {
  const [n, height, width, channels] = x.shape;
  const [top, left] = to.low;
  // What dy's taps reach: less than x and its pads where the stride leaves a rest.
  const depth = (rows - 1) * to.strides[0] + to.shape[0];
  const reach = (columns - 1) * to.strides[1] + to.shape[1];
  const { x: inner, pads: [above, before, below, after] } = cropped(l, l.plain(x), {
    shape: x.shape,
    pads: [top, left, depth - height - top, reach - width - left],
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

/** Without blocks: by patches of x, [rows, taps in]' [rows, out]. */
function fromPatches(l: Lowering, value: FilterGradient, [x, dy]: Pair): string {
  const [n, outHeight, outWidth, outChannels] = dy.shape;
  const [kernelHeight, kernelWidth, inChannels] = value.shape;
  const { strides, pads, dilations } = value.window;
  const e = l.emitter;
  const rows = n * outHeight * outWidth;
  // At stride s, s neighbouring taps of a row make one patch of s in channels: longer runs to copy.
  const stride = strides[1];
  const joined = dilations[1] === 1 && kernelWidth % stride === 0 ? stride : 1;
  const width = Math.ceil((x.shape[2] + pads[1] + pads[3]) / joined) * joined;
  const padded = pad(l, l.plain(x), {
    shape: x.shape,
    pads: [pads[0], pads[1], pads[2], width - x.shape[2] - pads[1]],
  });
  const depth = joined * inChannels;
  const patches = taps(kernelHeight, kernelWidth / joined).map(([i, j]) => {
    const begin = [i * dilations[0], j * dilations[1]];
    const step = stride / joined;
    const patch = e.slice(e.reshape(padded.x, [n, padded.shape[1], width / joined, depth]), {
      shape: [n, padded.shape[1], width / joined, depth],
      axes: [1, 2],
      begin,
      end: [begin[0] + (outHeight - 1) * strides[0] + 1, begin[1] + (outWidth - 1) * step + 1],
      steps: [strides[0], step],
    });
    return e.reshape(patch, [rows, depth]);
  });
  const right = e.reshape(l.plain(dy), [rows, outChannels]);
  const product = (left: string) => e.node("Gemm", [left, right], { transA: 1 });
  const stacked = patches.length === 1 || depth < NARROW
    ? product(join(l, patches, 1))
    // Wide patches side by side would make one product, but only after another copy, by one thread.
    : join(l, patches.map(product), 0);
  return e.reshape(stacked, value.shape);
}

/** All (row, column) of a window. */
function taps(height: number, width: number): [number, number][] {
  return Array.from({ length: height * width }, (_, k) => [Math.floor(k / width), k % width]);
}

function join(l: Lowering, parts: readonly string[], axis: number): string {
  return parts.length === 1 ? parts[0] : l.emitter.node("Concat", parts, { axis });
}

/** An image [n, h, w, c] with zeros around it, or cut where a pad is negative. */
function pad(
  l: Lowering,
  image: string,
  { shape, pads }: { shape: readonly number[]; pads: readonly number[] },
) {
  const { x, pads: [top, left, bottom, right] } = cropped(l, image, { shape, pads });
  const zeros = [0, top, left, 0, 0, bottom, right, 0];
  return {
    x: zeros.some((p) => p > 0)
      ? l.emitter.node("Pad", [x, l.emitter.ints(zeros), l.emitter.float(0)])
      : x,
    shape: [shape[0], shape[1] + pads[0] + pads[2], shape[2] + pads[1] + pads[3], shape[3]],
  };
}
