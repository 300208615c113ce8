/**
 * The gradient of a convolution in its filter: for each tap, the product of the image seen through that tap, transposed,
 * with the gradient of the output, summed over all positions.
 *
 * @module
 */
import { cropped } from "./convolutions.ts";
import type { Value } from "./graph.ts";
import type { Lowering } from "./lower.ts";

/** Inner sizes below which one product of all patches side by side beats one product each. */
const NARROW = 64;

type FilterGradient = Value & { readonly op: "convFilterGradient" };

/** dW [kh, kw, in, out] from (x, dy), in plain layout. */
export function lowerConvFilterGradient(l: Lowering, value: FilterGradient): string {
  const { strides, dilations } = value.window;
  const [, , inChannels, outChannels] = value.shape;
  const isPlain = [...strides, ...dilations].every((s) => s === 1);
  return isPlain && outChannels < inChannels
    ? fromShiftedGradients(l, value)
    : fromPatches(l, value);
}

/** By patches of x: [rows, taps in]' [rows, out]. */
function fromPatches(l: Lowering, value: FilterGradient): string {
  const [x, dy] = value.inputs;
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

/**
 * At stride 1 and with fewer channels out than in, by shifted copies of dy instead: dW[i, j] is the sum over positions p of
 * x of x[p]' dy[p - (i, j) + pad], so one product [positions, in]' [positions, taps out] gives all taps.
 */
function fromShiftedGradients(l: Lowering, value: FilterGradient): string {
  const [x, dy] = value.inputs;
  const [n, height, width, inChannels] = x.shape;
  const [kernelHeight, kernelWidth, , outChannels] = value.shape;
  const [top, left, bottom, right] = value.window.pads;
  const e = l.emitter;
  const padded = pad(l, l.plain(dy), {
    shape: dy.shape,
    pads: [
      kernelHeight - 1 - top,
      kernelWidth - 1 - left,
      kernelHeight - 1 - bottom,
      kernelWidth - 1 - right,
    ],
  });
  const positions = n * height * width;
  const shifted = taps(kernelHeight, kernelWidth).map(([i, j]) => {
    const begin = [kernelHeight - 1 - i, kernelWidth - 1 - j];
    const end = [begin[0] + height, begin[1] + width];
    return e.reshape(e.slice(padded.x, { shape: padded.shape, axes: [1, 2], begin, end }), [
      positions,
      outChannels,
    ]);
  });
  const image = e.reshape(l.plain(x), [positions, inChannels]);
  const product = e.node("Gemm", [image, join(l, shifted, 1)], { transA: 1 }); // [in, taps out]
  const apart = e.reshape(product, [inChannels, kernelHeight * kernelWidth, outChannels]);
  return e.reshape(e.transpose(apart, [1, 0, 2]), value.shape);
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
