import type { Sample } from "../statistics/sample.ts";
import type { Grid } from "./grid.ts";

/** Modes of a tabulated density: which one each cell drains to, and the mass of each. */
export interface Modes {
  readonly of: Int32Array;
  readonly weights: readonly number[];
}

/** No test could count a mode of less mass. */
const LEAST_WEIGHT = 0.01;

/**
 * The modes of a tabulated density, by steepest ascent over the eight neighbours of a cell; those of less than 1 % of the mass are
 * put together, as the last one if there are any.
 */
export function findModes({ mass, cells }: Grid): Modes {
  const uphill = (cell: number): number => {
    const [row, column] = [Math.floor(cell / cells), cell % cells];
    let best = cell;
    for (let r = Math.max(0, row - 1); r <= Math.min(cells - 1, row + 1); r++) {
      for (let c = Math.max(0, column - 1); c <= Math.min(cells - 1, column + 1); c++) {
        const cell = r * cells + c;
        // Cells about a symmetric mode tie: the first of them is its top.
        if (mass[cell] > mass[best] || (mass[cell] === mass[best] && cell < best)) best = cell;
      }
    }
    return best;
  };
  const top = new Int32Array(mass.length).fill(-1);
  for (let cell = 0; cell < mass.length; cell++) {
    const path: number[] = [];
    let at = cell;
    while (top[at] < 0) {
      path.push(at);
      const next = uphill(at);
      if (next === at) top[at] = at;
      at = next;
    }
    for (const visited of path) top[visited] = top[at];
  }
  const masses = new Map<number, number>();
  mass.forEach((v, cell) => masses.set(top[cell], (masses.get(top[cell]) ?? 0) + v));
  const modes = [...masses].filter(([, w]) => w >= LEAST_WEIGHT).sort((a, b) => b[1] - a[1]);
  const index = new Map(modes.map(([cell], i) => [cell, i]));
  const kept = modes.map(([, w]) => w);
  const rest = 1 - kept.reduce((a, b) => a + b, 0);
  return {
    of: top.map((cell) => index.get(cell) ?? modes.length),
    weights: rest > 1e-9 ? [...kept, rest] : kept,
  };
}

/** The mode of a place, by its number in `modes.weights`; undefined outside the grid. */
export function modeOf(
  [x, y]: readonly number[],
  { modes, grid: { extent, cells } }: { readonly modes: Modes; readonly grid: Grid },
): number | undefined {
  const [i, j] = [x, y].map((z) => Math.floor((z + extent) / (2 * extent) * cells));
  return i < 0 || i >= cells || j < 0 || j >= cells ? undefined : modes.of[i * cells + j];
}

/** Shares of the draws in each mode; those outside the grid are left out. */
export function modeShares(
  { data, count }: Sample,
  { modes, grid }: { readonly modes: Modes; readonly grid: Grid },
): number[] {
  const shares = modes.weights.map(() => 0);
  for (let n = 0; n < count; n++) {
    const mode = modeOf([data[2 * n], data[2 * n + 1]], { modes, grid });
    if (mode !== undefined && mode < shares.length) shares[mode] += 1 / count;
  }
  return shares;
}
