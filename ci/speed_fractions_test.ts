import assert from "node:assert/strict";
import { compareSpeed, SLOWER, speedFraction } from "./speed_fractions.ts";

/** Steps of 4 GFLOP beside products of 2 GFLOP. */
const times = (method: string, steps: readonly number[]) => ({
  method,
  flops: 4e9,
  steps,
  products: steps.map(() => 0.01),
  product: 1000,
});

Deno.test("speedFraction() is the median of the rates of steps over those of the products beside them", () => {
  // 4 GFLOP in 0.02, 0.04 and 1 s, over 200 GFLOP/s
  assert.equal(speedFraction(times("a", [0.02, 1, 0.04])), 0.5);
  assert.equal(speedFraction({ ...times("a", [1]), flops: undefined }), undefined);
});

Deno.test("compareSpeed() marks methods below the share of their baseline and leaves out those without FLOPs", () => {
  const rows = compareSpeed(
    [times("same", [0.02]), times("slow", [0.03]), times("new", [9]), {
      ...times("unknown", [1]),
      flops: undefined,
    }],
    { fractions: { same: 1 / SLOWER - 0.01, slow: 1, unknown: 1 } },
  );
  assert.deepEqual(rows.map(({ method, isSlower }) => [method, isSlower]), [
    ["same", false],
    ["slow", true],
    ["new", false],
  ]);
});
