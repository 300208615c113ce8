/**
 * Lowers convolutions to ONNX nodes: blocked, or a plain Conv between transposes if the blocked operator cannot express
 * them.
 *
 * @module
 */
import {
  blockBias,
  blockedConv,
  blockFilter,
  canBlock,
  type Conv,
  cropped,
  finish,
  type LoweredConv,
  type Source,
  sourceOf,
} from "./blocked_convolution.ts";
import type { Layouts } from "./layouts.ts";

/**
 * Number of outputs of a line that the blocked operator computes at once. It computes outputs that touch a pad one by
 * one, so for lines this short padding by a copy is faster: 6.0 ms instead of 7.7 ms for ten images 10x10x256 to 6x6x512.
 */
const SHORT_LINE = 6;

/** Lowers y = conv(x, filter) + bias. */
export function lowerConv(l: Layouts, value: Conv, bias?: string): LoweredConv {
  const [x, filter] = value.inputs;
  const inChannels = x.shape[3];
  const [kernelHeight, kernelWidth, , outChannels] = filter.shape;
  const { strides, pads, dilations } = value.window;
  const e = l.emitter;
  if (canBlock(l, { inChannels, pads })) {
    const [top, left, bottom, right] = pads;
    const source = sourceOf(l, x, value.shape);
    const { images } = source;
    const isShort = l.fitsBlocks(images * inChannels) && value.shape[2] <= SHORT_LINE;
    const name = blockedConv(l, {
      x: isShort ? paddedLines(l, source, { shape: x.shape, pads: [left, right] }) : source.name,
      filter: blockFilter(l, l.plain(filter), { shape: filter.shape, source }),
      bias: bias && blockBias(l, bias, { channels: outChannels, images }),
      kernel: [kernelHeight, kernelWidth],
      window: isShort ? { ...value.window, pads: [top, 0, bottom, 0] } : value.window,
    });
    return finish(l, name, { shape: value.shape, images });
  }
  const positive = cropped(l, l.plain(x), { shape: x.shape, pads });
  const y = e.node("Conv", [
    e.transpose(positive.x, [0, 3, 1, 2]),
    e.transpose(l.plain(filter), [3, 2, 0, 1]),
    ...(bias ? [bias] : []),
  ], { strides: [...strides], pads: positive.pads, dilations: [...dilations] });
  return { name: e.transpose(y, [0, 2, 3, 1]), blocked: false };
}

/** Pads each line of the blocked images of `source`, plain shape [n, h, w, c], with zeros on the left and right. */
function paddedLines(
  l: Layouts,
  { name, lanes, images }: Source,
  { shape: [n, h, w], pads: [left, right] }: {
    readonly shape: readonly number[];
    readonly pads: readonly [number, number];
  },
): string {
  if (left + right === 0) return name;
  const e = l.emitter;
  const lines = e.reshape(name, [n * lanes / l.block * h, w * l.block]);
  const zeros = e.ints([0, left * l.block, 0, right * l.block]);
  return e.reshape(e.node("Pad", [lines, zeros, e.float(0)]), [
    n / images,
    images * lanes,
    h,
    left + w + right,
  ]);
}
