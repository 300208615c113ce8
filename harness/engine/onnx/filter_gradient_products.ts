/**
 * The gradient of a convolution with respect to its filter by matrix products, for channels or machines without blocks:
 * for each tap, the transposed image as seen by that tap times the gradient of the output.
 *
 * @module
 */
import { cropped } from "./blocked_convolution.ts";
import type { Value } from "../graph/graph.ts";
import type { Layouts } from "./layouts.ts";

/** Inner size below which one product of all patches side by side is faster than one product per patch. */
const NARROW = 64;

/** A filter gradient of the graph. */
export type FilterGradient = Value & { readonly op: "convFilterGradient" };

/** Lowers dW [kh, kw, in, out] of one pair in plain layout: [rows, taps in]' [rows, out], one row per image position. */
export function fromPatches(
  l: Layouts,
  value: Pick<FilterGradient, "shape" | "window">,
  [x, dy]: readonly [Value, Value],
): string {
  const [n, outHeight, outWidth, outChannels] = dy.shape;
  const [kernelHeight, kernelWidth, inChannels] = value.shape;
  const { strides, pads, dilations } = value.window;
  const e = l.emitter;
  const rows = n * outHeight * outWidth;
  // At stride s, s neighbouring taps of a row form one patch of s x in channels, which gives longer runs to copy.
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
    // Joining wide patches into one product would cost another copy, by one thread.
    : join(l, patches.map(product), 0);
  return e.reshape(stacked, value.shape);
}

/** All (row, column) pairs of a window. */
function taps(height: number, width: number): [number, number][] {
  return Array.from({ length: height * width }, (_, k) => [Math.floor(k / width), k % width]);
}

function join(l: Layouts, parts: readonly string[], axis: number): string {
  return parts.length === 1 ? parts[0] : l.emitter.node("Concat", parts, { axis });
}

/** Pads an image [n, h, w, c] with zeros, or crops it where a pad is negative. */
function pad(
  l: Layouts,
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
