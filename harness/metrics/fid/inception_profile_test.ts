import assert from "node:assert/strict";
import { sumEvents } from "./inception_profile.ts";

const node = (
  op_name: string,
  dur: number,
  shapes: { x: number[]; w?: number[]; y: number[] },
) => ({
  cat: "Node",
  name: `a_kernel_time`,
  dur,
  args: {
    op_name,
    input_type_shape: [shapes.x, ...shapes.w ? [shapes.w] : []].map((float) => ({ float })),
    output_type_shape: [{ float: shapes.y }],
  },
});

Deno.test("sumEvents() sums seconds and multiply-adds by kind without the warm-up", () => {
  const run = (scale: number) => [
    node("Conv", 300 * scale, { x: [1, 3, 9, 9], w: [8, 3, 3, 3], y: [1, 8, 7, 7] }),
    node("Conv", 100 * scale, { x: [1, 8, 7, 7], w: [4, 8, 1, 7], y: [1, 4, 7, 1] }),
    node("MaxPool", 700 * scale, { x: [1, 4, 7, 1], y: [1, 4, 3, 1] }),
  ];
  const session = { cat: "Session", name: "model_run", dur: 1e9, args: {} };
  const fence = { ...run(1)[0], name: "a_fence_before", dur: 1e9 };
  const rows = sumEvents([session, fence, ...run(1000), ...run(1), session, ...run(2)], {
    runs: 3,
    warmUps: 1,
  });
  assert.deepEqual(rows.map(({ kind, macs }) => [kind, macs]), [
    ["MaxPool", 0],
    ["Conv 3x3", 2 * 8 * 7 * 7 * 3 * 3 * 3],
    ["Conv 1x7", 2 * 4 * 7 * 8 * 7],
  ]);
  const seconds = [2100e-6, 900e-6, 300e-6];
  rows.forEach((row, i) => assert.ok(Math.abs(row.seconds - seconds[i]) < 1e-12));
});
