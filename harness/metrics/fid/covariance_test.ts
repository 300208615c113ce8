import assert from "node:assert/strict";
import { keyOf, words } from "../../core/noise.ts";
import { openStatistics } from "./covariance.ts";
import { featureStatistics } from "./feature_statistics.ts";

Deno.test("openStatistics() agrees with featureStatistics() however the features arrive", async () => {
  for (const [dim, count] of [[600, 1100], [256, 30], [3, 5]]) { // full and partial blocks
    const x = Float32Array.from(words(keyOf(dim), 0, dim * count), (w) => w / 2 ** 32);
    await using stream = await openStatistics(dim, { threads: 2 });
    for (const [from, to] of [[0, 1], [1, 4], [4, count]]) {
      await stream.add(x.slice(from * dim, to * dim));
    }
    const actual = await stream.finish(), expected = featureStatistics(x, dim);
    assert.equal(actual.count, count);
    // Variances are 1/12; both sum 1,100 products in float64, so rounding is below 1100 eps / 12.
    const near = (a: Float64Array, b: Float64Array) =>
      assert.ok(a.every((value, i) => Math.abs(value - b[i]) < 3e-14));
    near(actual.mean, expected.mean);
    near(actual.covariance, expected.covariance);
  }
});
