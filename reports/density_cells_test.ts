import assert from "node:assert/strict";
import { assertHas, formsOf } from "./example_forms.ts";
import { exampleRecord } from "./example_records.ts";

const record = (seed: number, bits?: number) =>
  exampleRecord({
    spec: { seed },
    scores: { fd_fashion: 1 },
    alternatives: {
      flow: {
        label: "The flow alone",
        scores: { fd_fashion: 2 },
        untrained: {},
        ...bits !== undefined && { bitsPerDim: { mean: bits, standardError: 0.01 } },
      },
    },
  });

Deno.test("a sampler of known density has its bits per dimension, over seeds", () => {
  const { json, rows } = formsOf([record(0, 3), record(1, 4)]);
  assertHas(rows, "| The flow alone | Fashion-MNIST 4k | 3.50 ± 0.71 (n = 2) |");
  const [{ densities }] = json.rows;
  assert.deepEqual(densities.map(({ mean, n }) => [mean, n]), [[3.5, 2]]);
});

Deno.test("records without a density have no table of bits per dimension", () => {
  const { json, rows } = formsOf([record(0)]);
  assert.ok(!rows.some((row) => row.includes("bits/dim")));
  assert.deepEqual(json.rows[0].densities, []);
});
