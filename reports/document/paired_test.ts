import assert from "node:assert/strict";
import { pairedDifference } from "./paired.ts";

const values = (...all: number[]) => all.map((value, seed) => ({ seed, value }));

Deno.test("pairedDifference() pairs equal seeds: what seeds share cancels", () => {
  const result = pairedDifference(values(101, 205, 309), values(100, 200, 300));
  assert.ok(result?.interval);
  assert.deepEqual([result.mean, result.std, result.n], [5, 4, 3]);
  // t of two degrees of freedom is 4.303; 4 / sqrt(3) = 2.309.
  assert.ok(Math.abs(result.interval[1] - (5 + 4.303 * 2.309)) < 2e-3);
  assert.equal(result.finding, "unclear");
});

Deno.test("pairedDifference() finds a difference where the interval leaves out 0, and calls few pairs weak", () => {
  const six = [1, 2, 3, 4, 5, 6];
  const above = six.map((x) => x + 10 + x / 100);
  const result = pairedDifference(values(...above), values(...six));
  assert.deepEqual([result?.finding, result?.isWeak], ["higher", false]);
  const reverse = pairedDifference(values(...six), values(...above));
  assert.deepEqual([reverse?.finding, reverse?.mean], ["lower", -(result?.mean ?? NaN)]);
  const five = pairedDifference(values(...above.slice(1)), values(...six.slice(1)));
  assert.deepEqual([five?.finding, five?.isWeak], ["higher", true]);
});

Deno.test("pairedDifference() leaves out seeds of one side, has no interval of one pair, and nothing without pairs", () => {
  const one = pairedDifference([{ seed: 1, value: 3 }, { seed: 2, value: 9 }], [{
    seed: 1,
    value: 1,
  }]);
  assert.deepEqual(one, {
    mean: 2,
    std: null,
    n: 1,
    interval: null,
    finding: "unclear",
    isWeak: true,
  });
  assert.equal(pairedDifference(values(1), [{ seed: 5, value: 1 }]), null);
});
