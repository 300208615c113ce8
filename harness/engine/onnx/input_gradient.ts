/**
 * Lowers transposed convolutions to ONNX nodes: phase by phase as blocked convolutions, or a plain ConvTranspose between
 * transposes if the blocked operator cannot express them.
 *
 * @module
 */
import {
  blockBias,
  blockedConv,
  blockFilter,
  canBlock,
  type Conv,
  finish,
  type LoweredConv,
  sourceOf,
} from "./blocked_convolution.ts";
import type { Window } from "../graph/graph.ts";
import type { Layouts } from "./layouts.ts";

/** Lowers dx, the gradient of conv with respect to x, from (dy, filter): the transposed convolution. */
export function lowerConvInputGradient(l: Layouts, value: Conv, bias?: string): LoweredConv {
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

/** The outputs of one phase modulo the stride, along one axis: a convolution of stride 1 with every stride-th tap. */
interface Phase {
  /** Largest tap, which is read first; the others follow at -stride. */
  readonly lastTap: number;
  readonly taps: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The phases of a transposed convolution along both axes, or undefined if they do not fit the blocked operator.
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

/** Whether the phases differ only in the values of their taps. */
function sameWindow([first, ...others]: readonly Phase[]): boolean {
  return others.every(({ taps, low, high }) =>
    taps === first.taps && low === first.low && high === first.high
  );
}

function lowerPhases(
  l: Layouts,
  { value, phases: [rows, columns], bias }: {
    value: Conv;
    phases: [Phase[], Phase[]];
    bias?: string;
  },
): LoweredConv {
  const [dy, filter] = value.inputs;
  // Channels of the convolution; the transposed convolution swaps their roles.
  const [kernelHeight, kernelWidth, inChannels, outChannels] = filter.shape;
  const [n, height, width] = value.shape;
  const [strideHeight, strideWidth] = value.window.strides;
  const e = l.emitter;
  const source = sourceOf(l, dy, value.shape);
  const { images } = source;
  const swapped = e.transpose(l.plain(filter), [0, 1, 3, 2]); // [kh, kw, out, in]
  const paddedBias = bias && blockBias(l, bias, { channels: inChannels, images });
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
    return blockFilter(l, taps, {
      shape: [row.taps, column.taps, outChannels, inChannels],
      source,
    });
  };
  const convolve = (
    row: Phase,
    column: Phase,
    { filter, bias }: { filter: string; bias?: string },
  ) =>
    blockedConv(l, {
      x: source.name,
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
    // All phases read the same window: compute all their channels by one convolution, then transpose once.
    const y = convolve(rows[0], columns[0], {
      filter: e.node(
        "Concat",
        rows.flatMap((row) => columns.map((column) => filterOf(row, column))),
        { axis: 0 },
      ),
      bias: paddedBias &&
        e.node("Concat", Array<string>(count).fill(paddedBias), { axis: 0 }),
    });
    const channels = l.padded(images * inChannels);
    const lines = channels / l.block * m;
    // First the columns, as blocks of one pixel, which ReorderOutput joins in a third of the time of Transpose; then the rows.
    const interleaved = l.reorderOutput(
      e.reshape(y, [n / images * strideHeight, strideWidth * l.block, 1, lines * w]),
      strideWidth * l.block,
    );
    const joined = e.transpose(
      e.reshape(interleaved, [n / images, strideHeight, lines, strideWidth * w * l.block]),
      [0, 2, 1, 3],
    );
    const name = e.reshape(joined, [n / images, channels, height, width]);
    return finish(l, name, { shape: value.shape, images });
  }
  const phaseOutputs = rows.map((row) =>
    columns.map((column) => {
      const name = convolve(row, column, { filter: filterOf(row, column), bias: paddedBias });
      return finish(l, name, { shape: [n, m, w, inChannels], images });
    })
  );
  const blocked = phaseOutputs[0][0].blocked;
  if (strideHeight === 1 && strideWidth === 1) return phaseOutputs[0][0];
  // Interleave the phases: join [.., m, 1, w, 1, c] along the unit axes.
  const [outer, channels] = l.nominal(value.shape);
  const [before, inner] = blocked ? [[outer, channels / l.block], l.block] : [[n], inChannels];
  const axis = before.length + 1;
  const open = phaseOutputs.map((line) =>
    line.map(({ name }) => e.reshape(name, [...before, m, 1, w, 1, inner]))
  );
  const lines = open.map((line) => e.node("Concat", line, { axis: axis + 2 }));
  const joined = e.node("Concat", lines, { axis });
  return {
    name: e.reshape(joined, blocked ? l.nominal(value.shape) : value.shape),
    blocked,
  };
}
