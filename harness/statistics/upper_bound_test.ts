import assert from "node:assert/strict";
import { draws, foldIn, keyOf } from "../core/noise.ts";
import { mmdToNormalLaw, squaredMmdToNormal } from "./mmd.ts";
import { reachOf } from "./upper_bound.ts";

function normals(path: string, count: number): Float32Array {
  return draws(foldIn(keyOf(0), path), { counter: 0, count, kind: "normal" });
}

function momentsOf(values: ArrayLike<number> & Iterable<number>) {
  const all = [...values];
  const mean = all.reduce((a, b) => a + b) / all.length;
  return { mean, std: Math.sqrt(all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / all.length) };
}

for (const degrees of [1, 2, 8]) {
  Deno.test(`reachOf() leaves the tail of a normal to chi-square with ${degrees} degrees`, () => {
    const count = 40_000;
    const xi = normals(`chi/${degrees}`, count * degrees);
    const values = Float64Array.from(
      { length: count },
      (_, i) => xi.subarray(i * degrees, (i + 1) * degrees).reduce((sum, v) => sum + v * v, 0),
    );
    const { mean, std } = momentsOf(values);
    const least = -5;
    const high = reachOf({ mean: mean + least, std, least }, 3);
    const beyond = values.filter((v) => v + least > high).length;
    // A normal leaves 1.35e-3 above three deviations: 54 of them, +- 4.5 x 7.3; by mean + 3 std it would be 570, 360 and 280.
    assert.ok(beyond > 21 && beyond < 87, `${beyond}`);
  });
}

Deno.test("reachOf() is a normal's where the mean is far from the least", () => {
  const high = reachOf({ mean: 1000, std: 1, least: 0 }, 6);
  // 3 x 6^2 spread^2 of 1000, with a spread of 1 / 3000.
  assert.ok(Math.abs(high - 1006) < 0.02, `${high}`);
});

Deno.test("reachOf() is the normal's without a least value", () => {
  assert.equal(reachOf({ mean: 2, std: 0.5 }, 6), 5);
});

for (
  const [variances, bandwidth] of [
    [[1], 1],
    [[1, 1], 1],
    [[1, 1], 3],
    [[1.3], 1],
    [[0.6, 2], 1.5],
  ] as const
) {
  Deno.test(`mmdToNormalLaw() is that of draws with variances ${variances}, bandwidth ${bandwidth}`, () => {
    const [count, replicates, dim] = [50, 20_000, variances.length];
    const xi = normals(`mmd/${variances}/${bandwidth}`, replicates * count * dim);
    const values = Array.from({ length: replicates }, (_, r) => {
      const data = xi.subarray(r * count * dim, (r + 1) * count * dim)
        .map((v, i) => v * Math.sqrt(variances[i % dim]));
      return squaredMmdToNormal({ count, dim, data }, bandwidth);
    });
    const { mean, std } = momentsOf(values);
    const law = mmdToNormalLaw({ count, variances, bandwidth });
    assert.ok(
      Math.abs(mean - law.mean) < 4.5 * std / Math.sqrt(replicates),
      `${mean}, ${law.mean}`,
    );
    const kurtosis = values.reduce((sum, v) => sum + ((v - mean) / std) ** 4, 0) / replicates;
    const error = std * Math.sqrt((kurtosis - 1) / (4 * replicates)); // of a sample's deviation
    assert.ok(Math.abs(std - law.std) < 4.5 * error, `${std} +- ${error}, ${law.std}`);
    // U = V - (1 - mean of the kernel) / (count - 1), whose mean of the kernel varies by some percent.
    assert.ok(Math.min(...values) > 1.3 * law.least, `${Math.min(...values)}, ${law.least}`);
    const beyond = values.filter((v) => v > reachOf(law, 3)).length;
    // 27 of a normal; sums of unequal squares have a tail up to twice as heavy as the gamma law of their moments.
    assert.ok(beyond > 4 && beyond < 27 * 2 + 4.5 * 7.3, `${beyond} beyond`);
  });
}
