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

/** The image that a convolution reads, nominal shape [n / images, images * lanes, h, w]. */
export interface Source {
  readonly name: string;
  /** Channels of an image, including those that fill its last block. */
  readonly lanes: number;
  /** Neighbouring images that are convolved as one, with a filter of two diagonal blocks. */
  readonly images: 1 | 2;
}

/**
 * How many images a convolution of `x` to a result of `shape` takes as one: two if those of `x` or of the result share blocks,
 * so that no lane of a block is wasted, and the others can be read or written that way without a copy.
 */
function imagesAtOnce(l: Layouts, x: Value, shape: readonly number[]): 1 | 2 {
  if (l.imagesPerBlock(x.shape) === 1 && l.imagesPerBlock(shape) === 1) return 1;
  const [inChannels, outChannels] = [x.shape[3], shape[3]];
  const reads = isSourceBlocked(l, x) || 2 * inChannels < l.block;
  const writes = l.imagesPerBlock(shape) === 2 || l.fitsBlocks(outChannels) ||
    !l.staysBlocked(outChannels);
  return reads && writes ? 2 : 1;
}

function isSourceBlocked(l: Layouts, x: Value): boolean {
  return l.fitsBlocks(x.shape[3]) || l.isBlocked(x) || l.imagesPerBlock(x.shape) === 2;
}

/**
 * Reads `x` for a result of `shape`: blocked, or as [n, c, h, w] if it has few channels and was not computed blocked.
 */
export function sourceOf(l: Layouts, x: Value, shape: readonly number[]): Source {
  const [n, height, width, channels] = x.shape;
  const images = imagesAtOnce(l, x, shape);
  const shared = l.imagesPerBlock(x.shape);
  const isBlocked = isSourceBlocked(l, x) && shared <= images;
  const lanes = isBlocked && shared === 1 ? l.padded(channels) : channels;
  const name = isBlocked ? l.blocked(x) : l.emitter.transpose(l.plain(x), [0, 3, 1, 2]);
  return {
    name: isBlocked && shared === images
      ? name
      : l.emitter.reshape(name, [n / images, images * lanes, height, width]),
    lanes,
    images,
  };
}

/** Repeats the bias for each image at once and pads it with zeros to whole blocks. */
export function blockBias(
  l: Layouts,
  bias: string,
  { channels, images }: { readonly channels: number; readonly images: number },
): string {
  const e = l.emitter;
  const all = images === 1 ? bias : e.node("Concat", Array<string>(images).fill(bias), { axis: 0 });
  const missing = l.padded(images * channels) - images * channels;
  return missing === 0 ? all : e.node("Pad", [all, e.ints([0, missing]), e.float(0)]);
}

/**
 * Converts a filter [kh, kw, in, out] to blocked order, nominal shape [out, in, kh, kw], with zeros for the channels that the
 * `source` has beyond its own, and out padded to whole blocks. For two images at once it has two diagonal blocks.
 */
export function blockFilter(
  l: Layouts,
  filter: string,
  { shape: [kernelHeight, kernelWidth, channels, outChannels], source: { lanes, images } }: {
    readonly shape: readonly number[];
    readonly source: Source;
  },
): string {
  const e = l.emitter;
  const b = l.block;
  const [inChannels, out] = [images * lanes, l.padded(images * outChannels)];
  const rowsOf = (image: number) => {
    const before = image * outChannels;
    const zeros = [0, 0, 0, before, 0, 0, lanes - channels, out - before - outChannels];
    return zeros.every((count) => count === 0)
      ? filter
      : e.node("Pad", [filter, e.ints(zeros), e.float(0)]);
  };
  const full = images === 1 ? rowsOf(0) : e.node("Concat", [rowsOf(0), rowsOf(1)], { axis: 2 });
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

/** Completes a blocked result of `images` at once: keeps it blocked, or cuts few channels to the plain layout. */
export function finish(
  l: Layouts,
  name: string,
  { shape, images }: { readonly shape: readonly number[]; readonly images: 1 | 2 },
): LoweredConv {
  const e = l.emitter;
  const [n, height, width, channels] = shape;
  const shared = l.imagesPerBlock(shape);
  if (l.staysBlocked(channels) && shared <= images) {
    return { name: shared === images ? name : e.reshape(name, l.nominal(shape)), blocked: true };
  }
  if (images === 1) return { name: l.reorderOutput(name, channels), blocked: false };
  const planes = e.reshape(l.reorderToPlanes(name, images * channels), [
    n,
    channels,
    height,
    width,
  ]);
  return {
    name: channels === 1 ? e.reshape(planes, shape) : e.transpose(planes, [0, 2, 3, 1]),
    blocked: false,
  };
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
