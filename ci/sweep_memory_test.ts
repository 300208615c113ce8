import assert from "node:assert/strict";
import { draws } from "./fuzz/mutate.ts";
import { childGrowth, parentGrowth } from "./sweep_memory.ts";

const RUNS = 72;
const MB = 2 ** 20;

/** Memory of a sweep whose process grows by `parent` bytes a run, and whose runs by `child`, with noise of +-5 MB. */
function memoryOf({ parent = 0, child = 0 }) {
  const draw = draws(1);
  const noise = () => (draw(1000) / 100 - 5) * MB;
  const series = (base: number, slope: number) =>
    Array.from({ length: RUNS }, (_, i) => base * MB + slope * i + noise());
  return { parent: series(150, parent), children: series(400, child), records: RUNS * 10_000 };
}

const isFlat = ({ growth, bound }: { readonly growth: number; readonly bound: number }) =>
  growth <= bound;

Deno.test("parentGrowth() passes noise and the records, and notices a megabyte kept of each run", () => {
  assert.ok(isFlat(parentGrowth(memoryOf({}))));
  assert.ok(isFlat(parentGrowth(memoryOf({ parent: 50_000 }))));
  assert.ok(!isFlat(parentGrowth(memoryOf({ parent: MB }))));
});

Deno.test("childGrowth() passes noise, and notices runs that grow by a fifth of a megabyte each", () => {
  assert.ok(isFlat(childGrowth(memoryOf({}))));
  assert.ok(!isFlat(childGrowth(memoryOf({ child: MB / 5 }))));
});
