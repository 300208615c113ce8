import assert from "node:assert/strict";
import type { GaussianAnswer, GridAnswer } from "../core/toy_types.ts";
import { placeDraws } from "./place_draws.ts";

const GAUSSIAN: GaussianAnswer = { kind: "gaussian", means: [], covariance: [] };
const SHARED: GridAnswer = { kind: "grid", extent: 1, cells: 1, shared: true };
const target = (points: number, dim: number, shared = false) =>
  ({ name: "t", points, dim, answer: shared ? SHARED : GAUSSIAN }) as const;

/** Numbers that say where they stand in an array of `shape`. */
function numbered(shape: readonly number[]) {
  const count = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float64Array.from({ length: count }, (_, i) => i) };
}

Deno.test("placeDraws() takes fewer axes where one posterior, one coordinate or one chain leaves no doubt", () => {
  const cases: [number[], ReturnType<typeof target>, number[]][] = [ // shape -> chains, count, points
    [[4, 9, 3, 2], target(3, 2), [4, 9, 3]],
    [[9, 3, 2], target(3, 2), [1, 9, 3]],
    [[4, 9, 6], target(3, 2), [4, 9, 3]],
    [[4, 9, 2], target(1, 2), [4, 9, 1]],
    [[9, 2], target(1, 2), [1, 9, 1]],
    [[4, 9, 7], target(7, 1), [4, 9, 7]],
    [[9, 7], target(7, 1), [1, 9, 7]],
    [[4, 9], target(1, 1), [4, 9, 1]],
    [[9], target(1, 1), [1, 9, 1]],
    [[4, 9, 2], target(100, 2, true), [4, 9, 1]],
    [[4, 9, 100, 2], target(100, 2, true), [4, 9, 100]],
  ];
  for (const [shape, to, [chains, count, points]] of cases) {
    const { data: _, ...placed } = placeDraws(numbered(shape), to);
    assert.deepEqual(placed, { chains, count, points, dim: to.dim }, `[${shape}]`);
  }
});

Deno.test("placeDraws() puts draw t of chain c where the suite has it", () => {
  const { data } = placeDraws(numbered([2, 3, 1, 2]), target(1, 2));
  assert.deepEqual([...data], [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]); // [draws, chains, points, dim]
});

Deno.test("placeDraws() refuses other shapes and names the right ones", () => {
  for (const shape of [[9, 3], [9, 4, 2], [2, 2, 9, 3, 2], [6]]) {
    assert.throws(
      () => placeDraws(numbered(shape), target(3, 2)),
      /must have the shape \[chains, draws, 3, 2\] or \[draws, 3, 2\], got/,
      `[${shape}]`,
    );
  }
  const csv = { ...numbered([1, 9, 3]), sampleAxes: 2 as const };
  assert.throws(() => placeDraws(csv, target(1, 2)), /\[chains, draws, 2\]/);
});
