import assert from "node:assert/strict";
import { draws, foldIn, keyOf } from "../core/noise.ts";
import { squaredMmdDistribution, squaredMmdToNormal } from "./mmd.ts";
import { upperBound } from "./upper_bound.ts";

function normals(path: string, count: number): Float32Array {
  return draws(foldIn(keyOf(0), path), { counter: 0, count, kind: "normal" });
}

function momentsOf(values: ArrayLike<number> & Iterable<number>) {
  const all = [...values];
  const mean = all.reduce((a, b) => a + b) / all.length;
  return { mean, std: Math.sqrt(all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / all.length) };
}

for (const degrees of [1, 2, 8]) {
  Deno.test(`upperBound() gives chi-square with ${degrees} degrees the tail probability of a normal`, () => {
    const count = 40_000;
    const xi = normals(`chi/${degrees}`, count * degrees);
    const values = Float64Array.from(
      { length: count },
      (_, i) => xi.subarray(i * degrees, (i + 1) * degrees).reduce((sum, v) => sum + v * v, 0),
    );
    const { mean, std } = momentsOf(values);
    const minimum = -5;
    const high = upperBound({ mean: mean + minimum, std, minimum }, 3);
    const beyond = values.filter((v) => v + minimum > high).length;
    // A normal has 1.35e-3 above three deviations: 54 draws, +- 4.5 x 7.3. Above mean + 3 std there are 570, 360 and 280.
    assert.ok(beyond > 21 && beyond < 87, `${beyond}`);
  });
}

Deno.test("upperBound() approaches the normal bound if the mean is far above the minimum", () => {
  const high = upperBound({ mean: 1000, std: 1, minimum: 0 }, 6);
  // The difference is about 3 x 6^2 spread^2 x 1000, with a spread of 1 / 3000.
  assert.ok(Math.abs(high - 1006) < 0.02, `${high}`);
});

Deno.test("upperBound() is the normal bound without a minimum", () => {
  assert.equal(upperBound({ mean: 2, std: 0.5 }, 6), 5);
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
  Deno.test(`squaredMmdDistribution() matches simulation for variances ${variances}, bandwidth ${bandwidth}`, () => {
    const [count, replicates, dim] = [50, 20_000, variances.length];
    const xi = normals(`mmd/${variances}/${bandwidth}`, replicates * count * dim);
    const values = Array.from({ length: replicates }, (_, r) => {
      const data = xi.subarray(r * count * dim, (r + 1) * count * dim)
        .map((v, i) => v * Math.sqrt(variances[i % dim]));
      return squaredMmdToNormal({ count, dim, data }, bandwidth);
    });
    const { mean, std } = momentsOf(values);
    const theory = squaredMmdDistribution({ count, variances, bandwidth });
    assert.ok(
      Math.abs(mean - theory.mean) < 4.5 * std / Math.sqrt(replicates),
      `${mean}, ${theory.mean}`,
    );
    const kurtosis = values.reduce((sum, v) => sum + ((v - mean) / std) ** 4, 0) / replicates;
    const error = std * Math.sqrt((kurtosis - 1) / (4 * replicates)); // standard error of std
    assert.ok(Math.abs(std - theory.std) < 4.5 * error, `${std} +- ${error}, ${theory.std}`);
    // U = V - (1 - mean of the kernel) / (count - 1), where the sample's mean of the kernel varies by a few percent.
    const smallest = Math.min(...values);
    assert.ok(smallest > 1.3 * theory.minimum, `${smallest}, ${theory.minimum}`);
    const beyond = values.filter((v) => v > upperBound(theory, 3)).length;
    // A normal has 27; sums of unequal squares have a tail up to twice as heavy as the gamma distribution of their moments.
    assert.ok(beyond > 4 && beyond < 27 * 2 + 4.5 * 7.3, `${beyond} beyond`);
  });
}
