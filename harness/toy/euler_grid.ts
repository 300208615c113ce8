/**
 * The stationary distribution of Euler's rule at its step size, by iterating its kernel on a grid: mass at the centre of a cell
 * moves to z - eta w grad U(z), with a weight w of mean 1 for minibatches, and is blurred by N(0, 2 eta I).
 *
 * @module
 */
import { cholesky, solveLower } from "../linalg/cholesky.ts";
import { transpose } from "../linalg/matrix.ts";
import type { EulerKernel } from "../core/toy_types.ts";
import { centreOf, type Grid } from "./grid.ts";

/** L1 change of the masses in one application at which they count as stationary. */
const TOLERANCE = 1e-7;
const MOST_ITERATIONS = 400;
/** Applications before Anderson's acceleration begins, and the residuals that it combines. */
const FIRST_MIXED = 20;
const DEPTH = 8;
/** Standard deviations to which the blur reaches. */
const BLUR_REACH = 7;
/** Cells of less mass are not moved: all together hold less than rounding does. */
const NEGLIGIBLE = 1e-14;
/** Mass that may lie in the border cells. */
const BORDER_MASS = 1e-6;
/** g|^2] = dimension may be missed by: exact for Euler's rule on any density.|Tolerance of the identity E[z . g - eta / 2 |g|^2] = dimension, which is exact for Euler's rule on any density.|g|^2] = dimension may be missed by: exact for Euler's rule on any density. */
const IDENTITY_TOLERANCE = 1e-3;

/**
 * Masses of the stationary distribution on the cells of `grid`; `gradient` is grad U at their centres, [cells * cells, 2]. Throws
 * RangeError when the grid is too coarse or too small for the step.
 */
export function eulerStationary(
  grid: Grid,
  { gradient, kernel }: { readonly gradient: Float64Array; readonly kernel: EulerKernel },
): Float64Array {
  const { cells, extent } = grid;
  const { stepSize, share } = kernel;
  const spread = Math.sqrt(2 * stepSize) / (2 * extent / cells);
  if (spread < 1) {
    throw new RangeError(
      `A step of ${stepSize} blurs by ${
        spread.toFixed(2)
      } cells, less than one: use a grid of more cells`,
    );
  }
  const move = depositOf(grid, { gradient, length: stepSize / share });
  const blur = blurOf(cells, spread);
  const apply = (mass: Float64Array): Float64Array => {
    const moved = move(mass);
    if (share < 1) mass.forEach((m, i) => moved[i] = share * moved[i] + (1 - share) * m);
    return normalised(blur(moved));
  };
  const mass = fixedPoint(apply, grid.mass);
  checkBorder(mass, cells);
  checkIdentity(mass, { grid, gradient, length: stepSize / share });
  return mass;
}

/**
 * Moves the mass of each cell to z - length grad U(z), onto the 4 x 4 cells around with cubic Lagrange weights, which keep moments
 * up to the third: linear ones would add a variance of a cell's order.
 */
function depositOf(
  { cells, extent }: Grid,
  { gradient, length }: { readonly gradient: Float64Array; readonly length: number },
): (mass: Float64Array) => Float64Array {
  const count = cells * cells;
  const size = 2 * extent / cells;
  const corner = new Int32Array(count);
  const weights = new Float64Array(8 * count);
  for (let cell = 0; cell < count; cell++) {
    const at = [Math.floor(cell / cells), cell % cells];
    const first = at.map((index, axis) => {
      const position = Math.min(
        Math.max(index - length * gradient[2 * cell + axis] / size, 1),
        cells - 2.001,
      );
      const floor = Math.floor(position);
      weights.set(cubicWeights(position - floor), 8 * cell + 4 * axis);
      return floor - 1;
    });
    corner[cell] = first[0] * cells + first[1];
  }
  return (mass) => {
    const out = new Float64Array(count);
    for (let cell = 0; cell < count; cell++) {
      const m = mass[cell];
      if (Math.abs(m) < NEGLIGIBLE) continue;
      const w = 8 * cell;
      for (let r = 0; r < 4; r++) {
        const row = corner[cell] + r * cells;
        const mr = m * weights[w + r];
        out[row] += mr * weights[w + 4];
        out[row + 1] += mr * weights[w + 5];
        out[row + 2] += mr * weights[w + 6];
        out[row + 3] += mr * weights[w + 7];
      }
    }
    return out;
  };
}

/** Lagrange weights of the nodes -1, 0, 1, 2 at f in [0, 1). */
function cubicWeights(f: number): number[] {
  return [
    -f * (f - 1) * (f - 2) / 6,
    (f + 1) * (f - 1) * (f - 2) / 2,
    -(f + 1) * f * (f - 2) / 2,
    (f + 1) * f * (f - 1) / 6,
  ];
}

/** Convolution with a Gaussian of standard deviation `spread` cells along both axes. */
function blurOf(cells: number, spread: number): (mass: Float64Array) => Float64Array {
  const reach = Math.ceil(BLUR_REACH * spread);
  const taps = Float64Array.from(
    { length: 2 * reach + 1 },
    (_, i) => Math.exp(-(((i - reach) / spread) ** 2) / 2),
  );
  const sum = taps.reduce((a, b) => a + b);
  const kernel = taps.map((v) => v / sum);
  /** Along the second axis, with the axes exchanged in the result. */
  const pass = (mass: Float64Array) => {
    const out = new Float64Array(cells * cells);
    const line = new Float64Array(cells + 2 * reach);
    for (let i = 0; i < cells; i++) {
      const row = mass.subarray(i * cells, (i + 1) * cells);
      let [first, last] = [0, cells - 1];
      while (first < cells && Math.abs(row[first]) < NEGLIGIBLE) first++;
      while (last > first && Math.abs(row[last]) < NEGLIGIBLE) last--;
      line.set(row, reach);
      const end = Math.min(cells - 1, last + reach);
      for (let j = Math.max(0, first - reach); j <= end; j++) {
        let total = 0;
        for (let k = 0; k <= 2 * reach; k++) total += kernel[k] * line[j + k];
        out[j * cells + i] = total;
      }
    }
    return out;
  };
  return (mass) => pass(pass(mass));
}

/** The fixed point of `apply`, from `start`, by Anderson's acceleration. Walker and Ni 2011. */
function fixedPoint(
  apply: (mass: Float64Array) => Float64Array,
  start: Float64Array,
): Float64Array {
  let x: Float64Array = start;
  const history: { readonly value: Float64Array; readonly residual: Float64Array }[] = [];
  for (let i = 0; i < MOST_ITERATIONS; i++) {
    const value = apply(x);
    const residual = value.map((v, k) => v - x[k]);
    if (residual.reduce((sum, v) => sum + Math.abs(v), 0) < TOLERANCE) return value;
    history.push({ value, residual });
    if (history.length > DEPTH + 1) history.shift();
    x = i < FIRST_MIXED ? value : normalised(mixed(history));
  }
  throw new RangeError(
    `Euler's kernel has not settled on the grid in ${MOST_ITERATIONS} applications: the chain mixes too slowly at this step`,
  );
}

/** The combination of the values whose residuals cancel best. */
function mixed(
  history: readonly { readonly value: Float64Array; readonly residual: Float64Array }[],
): Float64Array {
  const last = history[history.length - 1];
  const before = history.slice(0, -1);
  const steps = before.map(({ residual }) => last.residual.map((v, k) => v - residual[k]));
  const gram = steps.map((a, i) => steps.slice(0, i + 1).map((b) => inner(a, b)));
  const ridge = 1e-12 * Math.max(...gram.map((row, i) => row[i]));
  // Cholesky reads the lower triangle.
  const lower = gram.map((row, i) => gram.map((_, j) => (row[j] ?? 0) + (i === j ? ridge : 0)));
  const factor = cholesky(lower);
  const half = solveLower(factor, steps.map((a) => inner(a, last.residual)));
  // L' x = y, solved as the lower system of the reversed order.
  const reversed = transpose(factor).toReversed().map((row) => row.toReversed());
  const weights = solveLower(reversed, half.toReversed()).toReversed();
  const out = last.value.slice();
  before.forEach(({ value }, j) => {
    for (let k = 0; k < out.length; k++) out[k] -= weights[j] * (last.value[k] - value[k]);
  });
  return out;
}

/** Plain loops: the arrays are long, and this runs for every pair of them. */
function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

function normalised(mass: Float64Array): Float64Array {
  const sum = mass.reduce((a, b) => a + b, 0);
  return mass.map((v) => v / sum);
}

function checkBorder(mass: Float64Array, cells: number): void {
  let border = 0;
  mass.forEach((m, i) => {
    const [row, column] = [Math.floor(i / cells), i % cells];
    if (Math.min(row, column) === 0 || Math.max(row, column) === cells - 1) border += Math.abs(m);
  });
  if (!(border < BORDER_MASS)) {
    throw new RangeError(
      `Euler's chain has a mass of ${
        border.toPrecision(2)
      } at the border of the grid: use a larger extent or a shorter step`,
    );
  }
}

/** Stationarity of |z|^2: E[z . g - length / 2 |g|^2] is the dimension, 2, on every density. */
function checkIdentity(
  mass: Float64Array,
  { grid, gradient, length }: {
    readonly grid: Grid;
    readonly gradient: Float64Array;
    readonly length: number;
  },
): void {
  let sum = 0;
  mass.forEach((m, cell) => {
    const [x, y] = centreOf(cell, grid);
    const [a, b] = gradient.subarray(2 * cell, 2 * cell + 2);
    sum += m * (x * a + y * b - length / 2 * (a * a + b * b));
  });
  if (!(Math.abs(sum / 2 - 1) < IDENTITY_TOLERANCE)) {
    throw new RangeError(
      `On the grid E[z . g - eta / 2 |g|^2] is ${
        sum.toPrecision(5)
      } under Euler's rule, it should be 2: use more cells`,
    );
  }
}
