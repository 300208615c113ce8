import assert from "node:assert/strict";
import { draws, foldIn, keyOf } from "../noise.ts";
import { gammaReach } from "./gamma_reach.ts";
import { leastMmdToNormal, squaredMmdToNormal } from "./mmd.ts";

function normals(path: string, count: number): Float32Array {
  return draws(foldIn(keyOf(0), path), { counter: 0, count, kind: "normal" });
}

function momentsOf(values: ArrayLike<number> & Iterable<number>) {
  const all = [...values];
  const mean = all.reduce((a, b) => a + b) / all.length;
  return { mean, std: Math.sqrt(all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / all.length) };
}

for (const degrees of [1, 2, 8]) {
  Deno.test(`gammaReach() leaves the tail of a normal to chi-square with ${degrees} degrees`, () => {
    const count = 40_000;
    const xi = normals(`chi/${degrees}`, count * degrees);
    const values = Float64Array.from(
      { length: count },
      (_, i) => xi.subarray(i * degrees, (i + 1) * degrees).reduce((sum, v) => sum + v * v, 0),
    );
    const { mean, std } = momentsOf(values);
    const least = -5;
    const high = gammaReach({ mean: mean + least, std, least, deviations: 3 });
    const beyond = values.filter((v) => v + least > high).length;
    // A normal leaves 1.35e-3 above three deviations: 54 of them, +- 4.5 x 7.3; by mean + 3 std it would be 570, 360 and 280.
    assert.ok(beyond > 21 && beyond < 87, `${beyond}`);
  });
}

Deno.test("gammaReach() is a normal's where the mean is far from the least", () => {
  const high = gammaReach({ mean: 1000, std: 1, least: 0, deviations: 6 });
  // 3 x 6^2 spread^2 of 1000, with a spread of 1 / 3000.
  assert.ok(Math.abs(high - 1006) < 0.02, `${high}`);
});

Deno.test("leastMmdToNormal() and gammaReach() know the law of squaredMmdToNormal()", () => {
  const [count, replicates] = [50, 20_000];
  for (const [dim, bandwidth] of [[1, 1], [2, 1], [2, 3]]) {
    const xi = normals(`mmd/${dim}/${bandwidth}`, replicates * count * dim);
    const values = Array.from({ length: replicates }, (_, r) => {
      const data = xi.subarray(r * count * dim, (r + 1) * count * dim);
      return squaredMmdToNormal({ count, dim, data }, bandwidth);
    });
    const { mean, std } = momentsOf(values);
    assert.ok(Math.abs(mean) < 4.5 * std / Math.sqrt(replicates), `unbiased: ${mean}`);
    const least = leastMmdToNormal({ count, dim, bandwidth });
    // V >= 0, and U = V - (1 - mean of the kernel) / (count - 1), whose mean of the kernel varies by some percent.
    assert.ok(Math.min(...values) > 1.1 * least && Math.min(...values) < 0.5 * least, `${least}`);
    const high = gammaReach({ mean, std, least, deviations: 3 });
    const beyond = values.filter((v) => v > high).length;
    // 27 of a normal; sums of unequal squares have a tail up to twice as heavy as the gamma law of their moments.
    assert.ok(beyond > 4 && beyond < 27 * 2 + 4.5 * 7.3, `${beyond} beyond ${high}`);
  }
});
