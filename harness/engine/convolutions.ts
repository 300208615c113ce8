/**
 * Convolutions as ONNX nodes. Filters change every step, so ONNX Runtime, which blocks only constant filters, is
 * given its blocked operators directly (domain com.microsoft.nchwc), and the filter is blocked in the graph. What
 * those cannot express falls back to plain Conv and ConvTranspose between transposes.
 *
 * @module
 */
import type { Value, Window } from "./graph.ts";
import type { Lowering } from "./lower.ts";

const NCHWC = "com.microsoft.nchwc";

/**
 * Outputs in a line that the blocked operator computes at once. Those that touch a pad it computes one by one, so where
 * there are no more the pads are worth a copy: 6.0 ms instead of 7.7 for ten images 10x10x256 to 6x6x512.
 */
const SHORT_LINE = 6;

/** A lowered convolution: its name, and whether that is in blocked layout. */
export interface LoweredConv {
  readonly name: string;
  readonly blocked: boolean;
}

type Conv = Value & { readonly op: "conv" | "convInputGradient" };

/** y = conv(x, filter) + bias. */
export function lowerConv(l: Lowering, value: Conv, bias?: string): LoweredConv {
  const [x, filter] = value.inputs;
  const inChannels = x.shape[3];
  const [kernelHeight, kernelWidth, , outChannels] = filter.shape;
  const { strides, pads, dilations } = value.window;
  const e = l.emitter;
  if (canBlock(l, { inChannels, pads })) {
    const isShort = l.fitsBlocks(inChannels) && value.shape[2] <= SHORT_LINE;
    const [top, left, bottom, right] = pads;
    const name = blockedConv(l, {
      x: isShort
        ? paddedLines(l, x, [left, right])
        : l.fitsBlocks(inChannels)
        ? l.blocked(x)
        : e.transpose(l.plain(x), [0, 3, 1, 2]),
      filter: blockFilter(l, l.plain(filter), filter.shape),
      bias: bias && padBias(l, bias, outChannels),
      kernel: [kernelHeight, kernelWidth],
      window: isShort ? { ...value.window, pads: [top, 0, bottom, 0] } : value.window,
    });
    return finish(l, name, value.shape);
  }
  const positive = cropped(l, l.plain(x), { shape: x.shape, pads });
  const y = e.node("Conv", [
    e.transpose(positive.x, [0, 3, 1, 2]),
    e.transpose(l.plain(filter), [3, 2, 0, 1]),
    ...(bias ? [bias] : []),
  ], { strides: [...strides], pads: positive.pads, dilations: [...dilations] });
  return { name: e.transpose(y, [0, 2, 3, 1]), blocked: false };
}

/** The blocked image [n, h, w, c] with zeros to the left and right of each line. */
function paddedLines(l: Lowering, x: Value, [left, right]: readonly [number, number]): string {
  if (left + right === 0) return l.blocked(x);
  const [n, h, w, c] = x.shape;
  const e = l.emitter;
  const lines = e.reshape(l.blocked(x), [n * c / l.block * h, w * l.block]);
  const zeros = e.ints([0, left * l.block, 0, right * l.block]);
  return e.reshape(e.node("Pad", [lines, zeros, e.float(0)]), [n, c, h, left + w + right]);
}

/** dx = gradient of conv in x, from (dy, filter): the transposed convolution. */
export function lowerConvInputGradient(l: Lowering, value: Conv, bias?: string): LoweredConv {
  const [dy, filter] = value.inputs;
  const outChannels = filter.shape[3];
  const e = l.emitter;
  const phases = phasesOf(value.window, { x: value.shape, y: dy.shape, filter: filter.shape });
  if (phases && canBlock(l, { inChannels: outChannels, pads: [0, 0, 0, 0] })) {
    return lowerPhases(l, { value, phases, bias });
  }
  const { strides, pads, dilations } = value.window;
  const grown = (axis: 0 | 1) =>
    (dy.shape[axis + 1] - 1) * strides[axis] + (filter.shape[axis] - 1) * dilations[axis] + 1 -
    pads[axis] - pads[axis + 2];
  const dx = e.node("ConvTranspose", [
    e.transpose(l.plain(dy), [0, 3, 1, 2]),
    e.transpose(l.plain(filter), [3, 2, 0, 1]),
    ...(bias ? [bias] : []),
  ], {
    strides: [...strides],
    dilations: [...dilations],
    pads: [...pads],
    output_padding: [value.shape[1] - grown(0), value.shape[2] - grown(1)],
  });
  return { name: e.transpose(dx, [0, 2, 3, 1]), blocked: false };
}

interface Shapes {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly filter: readonly number[];
}

function canBlock(
  l: Lowering,
  { inChannels, pads }: { inChannels: number; pads: readonly number[] },
): boolean {
  // A few channels (an image's) are read unblocked by the same kernels.
  return l.block > 0 && (l.fitsBlocks(inChannels) || inChannels < l.block) &&
    pads.every((p) => p >= 0);
}

/** Output channels rounded up to whole blocks. */
function paddedTo(block: number, channels: number): number {
  return Math.ceil(channels / block) * block;
}

function padBias(l: Lowering, bias: string, channels: number): string {
  const missing = paddedTo(l.block, channels) - channels;
  return missing === 0
    ? bias
    : l.emitter.node("Pad", [bias, l.emitter.ints([0, missing]), l.emitter.float(0)]);
}

/** A filter [kh, kw, in, out] in blocked order, nominal shape [out, in, kh, kw], out padded to whole blocks. */
function blockFilter(
  l: Lowering,
  filter: string,
  [kernelHeight, kernelWidth, inChannels, outChannels]: readonly number[],
): string {
  const e = l.emitter;
  const b = l.block;
  const out = paddedTo(b, outChannels);
  const full = out === outChannels
    ? filter
    : e.node("Pad", [filter, e.ints([0, 0, 0, 0, 0, 0, 0, out - outChannels]), e.float(0)]);
  // Few channels in stay one by one. Whole lines of them first, then the blocks, by two threads: 2.9 ms instead of the
  // 5.0 of one transpose for 4x4x256x512.
  const inner = l.fitsBlocks(inChannels) ? b : 1;
  const [taps, outer] = [kernelHeight * kernelWidth, inChannels / inner];
  const lines = e.transpose(e.reshape(full, [taps, outer, inner * out]), [1, 0, 2]);
  const blocked = l.reorderInput(e.reshape(lines, [1, outer * taps, inner, out]));
  return e.reshape(blocked, [out, inChannels, kernelHeight, kernelWidth]);
}

/** The blocked operator: conv(x, filter) + bias + sum. It adds to `sum` in place where nothing else reads that. */
export function blockedConv(
  l: Lowering,
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

/** A blocked result of nominal channels rounded up: kept blocked if exact, else cut to plain. */
function finish(l: Lowering, name: string, shape: readonly number[]): LoweredConv {
  return l.fitsBlocks(shape[3])
    ? { name, blocked: true }
    : { name: l.reorderOutput(name, shape[3]), blocked: false };
}

/** An image [n, h, w, c] with its negative pads cut off, and the pads that are left. */
export function cropped(
  l: Lowering,
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

/** Along one axis, the outputs at `phase` modulo the stride: a convolution of stride 1 with every stride-th tap. */
interface Phase {
  /** First (largest) tap; the others follow at -stride. */
  readonly lastTap: number;
  readonly taps: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The phases of a transposed convolution along both axes, or undefined where they do not fit the blocked operator.
 *
 * dx[s m + a] = sum over taps k = a + p (mod s) of dy[m + (a + p - k)/s] W[k]; with k = r + s t this reads dy in
 * decreasing t from m + (a + p - r)/s - (T - 1), so the low pad is T - 1 - (a + p - r)/s.
 */
function phasesOf(
  { strides, pads, dilations }: Window,
  { x, y, filter }: Shapes,
): [Phase[], Phase[]] | undefined {
  if (dilations.some((d) => d !== 1)) return undefined;
  const axes = ([0, 1] as const).map((axis) => {
    const [s, p, k, size, ySize] = [
      strides[axis],
      pads[axis],
      filter[axis],
      x[axis + 1],
      y[axis + 1],
    ];
    if (size % s !== 0) return undefined;
    const phases = Array.from({ length: s }, (_, a): Phase | undefined => {
      const r = (a + p) % s;
      const taps = Math.ceil((k - r) / s);
      const low = taps - 1 - (a + p - r) / s;
      const high = size / s + taps - 1 - ySize - low;
      return taps > 0 && low >= 0 && high >= 0
        ? { lastTap: r + s * (taps - 1), taps, low, high }
        : undefined;
    });
    return phases.every((phase) => phase !== undefined) ? phases : undefined;
  });
  const [rows, columns] = axes;
  return rows && columns ? [rows, columns] : undefined;
}

/** Whether the phases differ in their taps' values alone. */
function sameWindow([first, ...others]: readonly Phase[]): boolean {
  return others.every(({ taps, low, high }) =>
    taps === first.taps && low === first.low && high === first.high
  );
}

function lowerPhases(
  l: Lowering,
  { value, phases: [rows, columns], bias }: {
    value: Conv;
    phases: [Phase[], Phase[]];
    bias?: string;
  },
): LoweredConv {
  const [dy, filter] = value.inputs;
  // Of the convolution: the roles are swapped here.
  const [kernelHeight, kernelWidth, inChannels, outChannels] = filter.shape;
  const [n, height, width] = value.shape;
  const [strideHeight, strideWidth] = value.window.strides;
  const e = l.emitter;
  const source = l.fitsBlocks(outChannels) ? l.blocked(dy) : e.transpose(l.plain(dy), [0, 3, 1, 2]);
  const swapped = e.transpose(l.plain(filter), [0, 1, 3, 2]); // [kh, kw, out, in]
  const paddedBias = bias && padBias(l, bias, inChannels);
  const [m, w] = [height / strideHeight, width / strideWidth];
  const filterOf = (row: Phase, column: Phase) => {
    const taps = e.slice(swapped, {
      shape: [kernelHeight, kernelWidth, outChannels, inChannels],
      axes: [0, 1],
      begin: [row.lastTap, column.lastTap],
      end: [row.lastTap - strideHeight * row.taps, column.lastTap - strideWidth * column.taps]
        .map((x) => x < 0 ? -2147483648 : x),
      steps: [-strideHeight, -strideWidth],
    });
    return blockFilter(l, taps, [row.taps, column.taps, outChannels, inChannels]);
  };
  const convolve = (
    row: Phase,
    column: Phase,
    { filter, bias }: { filter: string; bias?: string },
  ) =>
    blockedConv(l, {
      x: source,
      filter,
      bias,
      kernel: [row.taps, column.taps],
      window: {
        strides: [1, 1],
        pads: [row.low, column.low, row.high, column.high],
        dilations: [1, 1],
      },
    });
  const count = rows.length * columns.length;
  if (count > 1 && sameWindow(rows) && sameWindow(columns)) {
    // All phases read the same window: one convolution to all their channels, then one transpose.
    const y = convolve(rows[0], columns[0], {
      filter: e.node(
        "Concat",
        rows.flatMap((row) => columns.map((column) => filterOf(row, column))),
        { axis: 0 },
      ),
      bias: paddedBias &&
        e.node("Concat", Array<string>(count).fill(paddedBias), { axis: 0 }),
    });
    const channels = paddedTo(l.block, inChannels);
    const open = e.reshape(y, [n, strideHeight, strideWidth, channels / l.block, m, w, l.block]);
    const joined = e.transpose(open, [0, 3, 4, 1, 5, 2, 6]);
    return finish(l, e.reshape(joined, [n, channels, height, width]), value.shape);
  }
  const phaseOutputs = rows.map((row) =>
    columns.map((column) => {
      const name = convolve(row, column, { filter: filterOf(row, column), bias: paddedBias });
      return finish(l, name, [n, m, w, inChannels]);
    })
  );
  const blocked = phaseOutputs[0][0].blocked;
  if (strideHeight === 1 && strideWidth === 1) return phaseOutputs[0][0];
  // Interleave: [.., m, 1, w, 1, c] joined along the unit axes.
  const [before, inner] = blocked ? [[n, inChannels / l.block], l.block] : [[n], inChannels];
  const axis = before.length + 1;
  const open = phaseOutputs.map((line) =>
    line.map(({ name }) => e.reshape(name, [...before, m, 1, w, 1, inner]))
  );
  const lines = open.map((line) => e.node("Concat", line, { axis: axis + 2 }));
  const joined = e.node("Concat", lines, { axis });
  return {
    name: e.reshape(joined, blocked ? [n, inChannels, height, width] : value.shape),
    blocked,
  };
}
