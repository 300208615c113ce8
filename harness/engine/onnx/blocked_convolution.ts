/**
 * Convolutions by ONNX Runtime's blocked operator (domain com.microsoft.nchwc). ONNX Runtime itself blocks only constant
 * filters, but these filters change every step; so the graph calls the operator directly and blocks the filter itself.
 *
 * @module
 */
import type { Value, Window } from "../graph/graph.ts";
import type { Layouts } from "./layouts.ts";

const NCHWC = "com.microsoft.nchwc";

/** The name of a lowered convolution and whether its layout is blocked. */
export interface LoweredConv {
  readonly name: string;
  readonly blocked: boolean;
}

/** A convolution of the graph, forward or transposed. */
export type Conv = Value & { readonly op: "conv" | "convInputGradient" };

/** Whether the blocked operator can read an image of `inChannels` channels with these pads. */
export function canBlock(
  l: Layouts,
  { inChannels, pads }: { inChannels: number; pads: readonly number[] },
): boolean {
  // The same kernels read few channels (those of an image) without blocking.
  return l.block > 0 && (l.fitsBlocks(inChannels) || inChannels < l.block) &&
    pads.every((p) => p >= 0);
}

/** Pads the bias with zeros to whole blocks. */
export function padBias(l: Layouts, bias: string, channels: number): string {
  const missing = l.padded(channels) - channels;
  return missing === 0
    ? bias
    : l.emitter.node("Pad", [bias, l.emitter.ints([0, missing]), l.emitter.float(0)]);
}

/** The image that a convolution reads: its name, and its channels including those that fill the last block. */
export interface Source {
  readonly name: string;
  readonly channels: number;
}

/** Reads `x` blocked, or as [n, c, h, w] if it has few channels and was not computed blocked. */
export function sourceOf(l: Layouts, x: Value): Source {
  const channels = x.shape[3];
  return l.fitsBlocks(channels) || l.isBlocked(x)
    ? { name: l.blocked(x), channels: l.padded(channels) }
    : { name: l.emitter.transpose(l.plain(x), [0, 3, 1, 2]), channels };
}

/**
 * Converts a filter [kh, kw, in, out] to blocked order, nominal shape [out, in, kh, kw], with zeros for the channels that the
 * `source` has beyond its own, and out padded to whole blocks.
 */
export function blockFilter(
  l: Layouts,
  filter: string,
  { shape: [kernelHeight, kernelWidth, channels, outChannels], source }: {
    readonly shape: readonly number[];
    readonly source: Source;
  },
): string {
  const e = l.emitter;
  const b = l.block;
  const [inChannels, out] = [source.channels, l.padded(outChannels)];
  const zeros = [0, 0, 0, 0, 0, 0, inChannels - channels, out - outChannels];
  const full = zeros.every((count) => count === 0)
    ? filter
    : e.node("Pad", [filter, e.ints(zeros), e.float(0)]);
  // Few input channels stay unblocked. Transposing whole lines first and then the blocks takes two threads 2.9 ms for
  // 4x4x256x512, instead of 5.0 ms for one transpose.
  const inner = l.fitsBlocks(inChannels) ? b : 1;
  const [taps, outer] = [kernelHeight * kernelWidth, inChannels / inner];
  const lines = e.transpose(e.reshape(full, [taps, outer, inner * out]), [1, 0, 2]);
  const blocked = l.reorderInput(e.reshape(lines, [1, outer * taps, inner, out]));
  return e.reshape(blocked, [out, inChannels, kernelHeight, kernelWidth]);
}

/** Writes the blocked operator conv(x, filter) + bias + sum. It adds to `sum` in place if nothing else reads `sum`. */
export function blockedConv(
  l: Layouts,
  { x, filter, bias = "", sum = "", kernel, window }: {
    x: string;
    filter: string;
    bias?: string;
    sum?: string;
    kernel: readonly number[];
    window: Window;
  },
): string {
  const inputs = [x, filter, ...(bias || sum ? [bias] : []), ...(sum ? [sum] : [])];
  return l.emitter.node("Conv", inputs, {
    auto_pad: "NOTSET",
    group: 1,
    kernel_shape: [...kernel],
    strides: [...window.strides],
    pads: [...window.pads],
    dilations: [...window.dilations],
  }, NCHWC);
}

/** Completes a blocked result: keeps it blocked, or cuts few channels to the plain layout. */
export function finish(l: Layouts, name: string, shape: readonly number[]): LoweredConv {
  return l.staysBlocked(shape[3])
    ? { name, blocked: true }
    : { name: l.reorderOutput(name, shape[3]), blocked: false };
}

/** Crops an image [n, h, w, c] by its negative pads; returns the image and the remaining pads. */
export function cropped(
  l: Layouts,
  x: string,
  { shape, pads }: { shape: readonly number[]; pads: readonly number[] },
) {
  if (pads.every((p) => p >= 0)) return { x, pads: [...pads] };
  const [top, left, bottom, right] = pads.map((p) => Math.max(0, -p));
  return {
    x: l.emitter.slice(x, {
      shape,
      axes: [1, 2],
      begin: [top, left],
      end: [shape[1] - bottom, shape[2] - right],
    }),
    pads: pads.map((p) => Math.max(0, p)),
  };
}
