import assert from "node:assert/strict";
import type { Method } from "../core/types.ts";
import { expectedBest, trialHyper, valueAt } from "./search_space.ts";

const method = {
  name: "example",
  ranges: {
    rate: { scale: "log", low: 1e-4, high: 1e-2 },
    steps: { scale: "integer", low: 1, high: 3 },
    learning: { scale: "choice", values: ["bayes", "ml"] },
  },
} as unknown as Method;
const base = { rate: 1e-3, steps: 2, learning: "bayes", width: 0.25 };

Deno.test("valueAt() covers a range from end to end, in its own scale", () => {
  const log = { scale: "log", low: 1e-4, high: 1e-2 } as const;
  assert.deepEqual([0, 0.5, 0.999999].map((u) => valueAt(log, u)), [1e-4, 1e-3, 1e-2]);
  const integer = { scale: "integer", low: 1, high: 3 } as const;
  assert.deepEqual([0, 0.34, 0.99].map((u) => valueAt(integer, u)), [1, 2, 3]);
  assert.equal(valueAt({ scale: "linear", low: -1, high: 1 }, 0.75), 0.5);
  assert.equal(valueAt({ scale: "choice", values: ["a", "b"] }, 0.5), "b");
});

Deno.test("trialHyper() begins with the defaults, repeats itself, and draws what is ranged alone", () => {
  assert.deepEqual(trialHyper(method, { base, index: 0 }), base);
  const trials = Array.from({ length: 200 }, (_, i) => trialHyper(method, { base, index: i + 1 }));
  assert.deepEqual(trialHyper(method, { base, index: 7 }), trials[6]);
  assert.ok(
    trials.every(({ width, rate }) =>
      width === 0.25 && Number(rate) >= 1e-4 && Number(rate) <= 1e-2
    ),
  );
  // Half of the draws lie below the middle of a log range: 100 +- 7.1; five standard deviations.
  const low = trials.filter(({ rate }) => Number(rate) < 1e-3).length;
  assert.ok(Math.abs(low - 100) < 36, `${low} of 200 below the middle`);
  const both =
    trials.filter(({ rate, learning }) => Number(rate) < 1e-3 && learning === "ml").length;
  assert.ok(Math.abs(both - 50) < 31, `${both} of 200: hyperparameters are not independent`);
});

Deno.test("expectedBest() is the mean over all subsets of n trials", () => {
  const values = [5, 1, 4, 2, 8];
  const subsets = (n: number, from = 0): number[][] =>
    n === 0
      ? [[]]
      : values.slice(from).flatMap((v, i) =>
        subsets(n - 1, from + i + 1).map((rest) => [v, ...rest])
      );
  for (let n = 1; n <= 5; n++) {
    const bests = subsets(n).map((subset) => Math.min(...subset));
    const exact = bests.reduce((a, b) => a + b) / bests.length;
    assert.ok(Math.abs(expectedBest(values, n) - exact) < 1e-12, `n = ${n}`);
  }
  assert.equal(expectedBest([3, Infinity], 2), 3);
  assert.equal(expectedBest([3, Infinity], 1), Infinity);
  assert.throws(
    () => expectedBest(values, 6),
    /^RangeError: n must be an integer from 1 to 5, got 6$/,
  );
});
