import * as tf from "@tensorflow/tfjs";
import { fillNoise, foldIn, keyOf } from "../core/noise.ts";
import type { Sample } from "../statistics/sample.ts";
import type { Device, State } from "../core/types.ts";
import type { GridAnswer, Target } from "../core/toy_types.ts";

/** A density on the cells of a square, row-major in x then y; masses sum to 1. */
export interface Grid {
  readonly extent: number;
  /** Cells along an axis. */
  readonly cells: number;
  readonly mass: Float64Array;
  /** log of the integral of exp(logDensity). */
  readonly logNormalizer: number;
}

/** Cells in one call of the program. */
const BLOCK = 6400;

/** A target whose posteriors are tabulated. */
type GridTarget = Target & { readonly answer: GridAnswer };

/** Tabulates the density of each point of `target` (of the first, where they share it) at the centres of cells. */
export async function tabulate(target: GridTarget, device: Device): Promise<Grid[]> {
  const logs = await tabulateLogs(target, device);
  return logs.map((log) => normalise(log, target.answer));
}

/** The log density of each point at the centres of cells, up to its constant: [points][cells * cells]. */
export function tabulateLogs(target: GridTarget, device: Device): Promise<Float64Array[]> {
  return overCells(target, {
    device,
    width: 1,
    evaluate: (z, parameters) => target.logDensity(z, parameters),
  });
}

/** grad U of each point at the centres of cells, [cells * cells, 2]. */
export function tabulateGradients(target: GridTarget, device: Device): Promise<Float64Array[]> {
  return overCells(target, {
    device,
    width: 2,
    evaluate: (z, parameters) =>
      tf.neg(tf.grad((z) => tf.sum(target.logDensity(z as tf.Tensor3D, parameters)))(z)),
  });
}

/** `evaluate` at the centres of cells, `width` numbers for each point: [points][cells * cells * width]. */
async function overCells(
  target: GridTarget,
  { device, width, evaluate }: {
    readonly device: Device;
    readonly width: number;
    readonly evaluate: (z: tf.Tensor3D, parameters: State) => tf.Tensor;
  },
): Promise<Float64Array[]> {
  const { answer: { extent, cells, shared }, parameters } = target;
  const points = shared ? 1 : target.points;
  const start = Object.fromEntries(
    Object.entries(parameters).map(([name, array]) => [name, array]),
  );
  await using program = await device.compile(({ state, inputs }) => ({
    outputs: { values: evaluate(inputs.z as tf.Tensor3D, state) },
  }), {
    state: Object.fromEntries(
      Object.entries(start).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
    ),
    inputs: { z: { shape: [BLOCK, points, 2], dtype: "float32" } },
  });
  let state = await device.upload(start);
  const all = Array.from({ length: points }, () => new Float64Array(cells * cells * width));
  for (let begin = 0; begin < cells * cells; begin += BLOCK) {
    const z = new Float32Array(BLOCK * points * 2);
    for (let i = 0; i < BLOCK * points; i++) {
      const [x, y] = centreOf(begin + Math.floor(i / points), { extent, cells });
      z.set([x, y], 2 * i);
    }
    const result = await program.run(state, {
      z: { shape: [BLOCK, points, 2], dtype: "float32", data: z },
    });
    state = result.state;
    const { data } = result.outputs.values;
    for (let i = 0; i < BLOCK && begin + i < cells * cells; i++) {
      all.forEach((values, point) => {
        for (let k = 0; k < width; k++) {
          values[(begin + i) * width + k] = data[(i * points + point) * width + k];
        }
      });
    }
  }
  return all;
}

/** Centre of cell `index`. */
export function centreOf(
  index: number,
  { extent, cells }: { readonly extent: number; readonly cells: number },
): [number, number] {
  const size = 2 * extent / cells;
  return [
    -extent + (Math.floor(index / cells) + 0.5) * size,
    -extent + (index % cells + 0.5) * size,
  ];
}

/** The grid of an unnormalised log density at the centres of cells. */
export function normalise(
  log: Float64Array,
  { extent, cells }: { readonly extent: number; readonly cells: number },
): Grid {
  const top = log.reduce((a, b) => Math.max(a, b), -Infinity);
  const mass = log.map((v) => Math.exp(v - top));
  const sum = mass.reduce((a, b) => a + b, 0);
  const area = (2 * extent / cells) ** 2;
  return {
    extent,
    cells,
    mass: mass.map((v) => v / sum),
    logNormalizer: top + Math.log(sum * area),
  };
}

/** Independent draws: a cell by inverting the distribution function, and a uniform place in it. */
export function drawFromGrid(
  { mass, extent, cells }: Grid,
  { count, seed }: { readonly count: number; readonly seed: string },
): Sample {
  const cumulative = new Float64Array(mass.length);
  let sum = 0;
  mass.forEach((v, i) => cumulative[i] = sum += v);
  const uniforms = new Float32Array(count * 4);
  fillNoise(uniforms, {
    key: foldIn(keyOf(0), seed),
    counters: Int32Array.of(0),
    width: count * 4,
    kind: "uniform",
  });
  const data = new Float64Array(count * 2);
  const size = 2 * extent / cells;
  for (let n = 0; n < count; n++) {
    // Two uniforms of 24 bits make one that is fine enough for rare cells.
    const u = (uniforms[4 * n] + uniforms[4 * n + 1] * 2 ** -24) * sum;
    let [low, high] = [0, mass.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle] > u) high = middle;
      else low = middle + 1;
    }
    const [x, y] = centreOf(low, { extent, cells });
    data[2 * n] = x + (uniforms[4 * n + 2] - 0.5) * size;
    data[2 * n + 1] = y + (uniforms[4 * n + 3] - 0.5) * size;
  }
  return { count, dim: 2, data };
}

/** Masses in `bins` x `bins` bins, each of whole cells. Throws RangeError when they are not. */
export function binned({ mass, cells }: Grid, bins: number): Float64Array {
  if (cells % bins !== 0) throw new RangeError(`${cells} cells do not divide into ${bins} bins`);
  const each = cells / bins;
  const out = new Float64Array(bins * bins);
  mass.forEach((v, i) => {
    const [row, column] = [Math.floor(i / cells), i % cells];
    out[Math.floor(row / each) * bins + Math.floor(column / each)] += v;
  });
  return out;
}
