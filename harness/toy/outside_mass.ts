import type { Device } from "../core/types.ts";
import type { GridAnswer, Target } from "../core/toy_types.ts";
import { tabulateLogs } from "./grid.ts";

/** Squares around that of the answer, each twice as wide as the one before: the last is 64 times as wide. */
const SQUARES = 6;
/** Cells along an axis of each. */
const CELLS = 160;
/** Largest share of a posterior's mass that its square may leave outside. */
const LARGEST_SHARE = 1e-3;

/**
 * Checks that the square of a target with an answer on a grid holds its mass: what lies outside would be neither in the
 * answer nor in its scores. The density is summed on squares of up to 64 times the width. Throws RangeError that names the
 * target, the share outside, and an extent that would do, if there is one.
 */
export async function checkOutsideMass(
  target: Target & { readonly answer: GridAnswer },
  device: Device,
): Promise<void> {
  const { answer } = target;
  const inside = await tabulateLogs({ ...target, answer: { ...answer, cells: CELLS } }, device);
  const rings: Float64Array[][] = [];
  for (let k = 1; k <= SQUARES; k++) {
    const wide = { ...answer, extent: 2 ** k * answer.extent, cells: CELLS };
    rings.push(await tabulateLogs({ ...target, answer: wide }, device));
  }
  inside.forEach((logs, point) => {
    const all = [logs, ...rings.map((ring) => ring[point])];
    const top = all.reduce((high, logs) => logs.reduce(larger, high), -Infinity);
    // Masses up to a constant; the inner half of a wider square is the square before it.
    const masses = all.map((logs, k) => {
      let sum = 0;
      logs.forEach((log, i) => {
        if (k === 0 || !isInner(i)) sum += mass(log - top);
      });
      return sum * 4 ** k;
    });
    const whole = masses.reduce((a, b) => a + b);
    const outside = masses.map((_, k) => masses.slice(k + 1).reduce((a, b) => a + b, 0) / whole);
    if (outside[0] <= LARGEST_SHARE) return;
    const enough = outside.findIndex((share, k) => k < SQUARES && share <= LARGEST_SHARE);
    const remedy = enough < 0
      ? "its tails are too heavy for a grid, so give it a bounded domain or a Gaussian answer"
      : `raise answer.extent from ${answer.extent} to at most ${2 ** enough * answer.extent}`;
    const where = answer.shared ? "" : ` of the posterior of point ${point}`;
    throw new RangeError(
      `Target ${target.name}: its square leaves ${
        outside[0].toPrecision(2)
      } of the mass${where} outside, ` +
        `more than ${LARGEST_SHARE}: ${remedy}`,
    );
  });
}

/** Whether cell `index` lies in the inner half of its square. */
function isInner(index: number): boolean {
  const isMiddle = (i: number) => i >= CELLS / 4 && i < 3 * CELLS / 4;
  return isMiddle(Math.floor(index / CELLS)) && isMiddle(index % CELLS);
}

/** exp(log); far outside a density may overflow on its way to 0. */
function mass(log: number): number {
  return Number.isNaN(log) ? 0 : Math.exp(log);
}

function larger(high: number, log: number): number {
  return log > high ? log : high;
}
