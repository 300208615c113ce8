import assert from "node:assert/strict";
import { normalQuantile } from "./normal.ts";

Deno.test("normalQuantile() has the known quantiles, and is odd about 1/2", () => {
  // R: qnorm(c(0.9, 0.975, 0.999)).
  const known = [[0.5, 0], [0.9, 1.2815516], [0.975, 1.959964], [0.999, 3.0902323]];
  for (const [p, quantile] of known) {
    // The error function is known to 1.5e-7, and the density at the last of them is 0.0034.
    assert.ok(Math.abs(normalQuantile(p) - quantile) < 1e-4, `${p}: ${normalQuantile(p)}`);
    assert.ok(Math.abs(normalQuantile(1 - p) + quantile) < 1e-4);
  }
});
