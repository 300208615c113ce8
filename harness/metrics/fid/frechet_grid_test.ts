import assert from "node:assert/strict";
import golden from "../../../fixtures/fid/grid.json" with { type: "json" };
import { frechetDistance } from "./frechet.ts";
import { hashUniform } from "./random_weights.ts";
import { featureStatistics } from "./feature_statistics.ts";

/** Features as in ci/parity/inception_grid.py. */
function features(name: string, count: number, dim: number, shift: number): Float32Array {
  const u = hashUniform(name, 2 * count * dim);
  const out = new Float32Array(count * dim);
  for (let i = 0; i < out.length; i++) {
    out[i] = (u[2 * i] + u[2 * i + 1] - 1) / (1 + i % dim) + shift;
  }
  return out;
}

Deno.test("T10: frechetDistance() agrees with the nuclear norm and scipy for 2 to 32,768 vectors", () => {
  for (const { count, dim, nuclear, scipy } of golden.cases) {
    const label = `${count} vectors of ${dim}`;
    const x = featureStatistics(features(`x${count}`, count, dim, 0), dim);
    const y = featureStatistics(features(`y${count}`, count, dim, 0.1), dim);
    const distance = frechetDistance(x, y);
    // Traces are about 1/4. Both use float64; only this code forms the covariance.
    assert.ok(Math.abs(distance - nuclear) < 1e-12, `${label}: ${distance - nuclear}`);
    // torch-fidelity requires 5 decimals, the noise of scipy's root of a singular product.
    if (scipy !== null) {
      assert.ok(Math.abs(distance - scipy) < 1e-5, `${label}: ${distance - scipy}`);
    }
  }
});
