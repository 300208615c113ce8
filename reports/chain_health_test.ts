import assert from "node:assert/strict";
import type { ChainHealth } from "../harness/core/records.ts";
import { assertHas, formsOf } from "./example_forms.ts";
import { exampleRecord } from "./example_records.ts";

const HEALTHY: ChainHealth = {
  chain: "posterior",
  count: 50,
  dimension: 32,
  steps: 20,
  stepSize: 0.005,
  stability: { quantile90: 0.15, largest: 0.21 },
  acceptance: { mean: 0.95, standardError: 0.01 },
  drift: { mean: 0.5, standardError: 0.4 },
  virial: { mean: 1.02, standardError: 0.03 },
};

/** A single chain, on weights. */
const PHI: ChainHealth = {
  chain: "Phi",
  count: 1,
  dimension: 8192,
  steps: 4,
  stepSize: 1e-6,
  stability: HEALTHY.stability,
  acceptance: { mean: 0.25, standardError: null },
};

const record = (method: string, seed: number, chainHealth?: readonly ChainHealth[]) =>
  exampleRecord({
    spec: { method, seed },
    scores: { fd_fashion: 100 },
    ...chainHealth && { chainHealth },
  });

Deno.test("a method whose chains are healthy has numbers and no mark", () => {
  const { json, rows, notes } = formsOf([
    record("dlgm", 0, [HEALTHY]),
    record("dlgm", 1, [HEALTHY]),
  ]);
  assertHas(rows, "| DLGM | LD + amortized init. | 100.0 ± 0 (n = 2) |");
  // Two seeds: a standard error is sqrt(2) / 2 of that of one.
  assertHas(
    rows,
    "| DLGM | Fashion-MNIST 4k | posterior | 2 | 20 × 0.005 | 0.1500 (0.2100) | 0.9500 ± 0.0071 | 0.50 ± 0.28 | 1.020 ± 0.021 | healthy |",
  );
  assert.deepEqual(notes.filter((note) => note.includes("chain")), []);
  assert.equal(json.rows[0].chainHealth[0].verdict, "healthy");
});

Deno.test("an unstable chain marks its method, and the note says which chain, why, and in how many seeds", () => {
  const unstable = {
    ...HEALTHY,
    stability: { quantile90: 2.25, largest: 3 },
    virial: { mean: 4, standardError: 0.5 },
  };
  const { rows, notes } = formsOf([
    record("lae", 0, [HEALTHY, PHI]),
    record("lae", 1, [unstable, PHI]),
  ]);
  assertHas(rows, "| LAE ‡ | LD + EBM + amortization | 100.0 ± 0 (n = 2) |");
  assertHas(
    rows,
    "| LAE | Fashion-MNIST 4k | Phi | 2 | 4 × 1e-6 | 0.1500 (0.2100) | 0.25 | – | – | healthy |",
  );
  assertHas(
    notes,
    "- ‡ LAE: posterior chain unstable in 1 of 2 (step size × curvature 2.25, virial 4.00)",
  );
});

Deno.test("a chain that is biased or not at rest has the lesser mark, one that overflowed the greater", () => {
  const drifting = { ...HEALTHY, drift: { mean: -20, standardError: 2 } };
  const overflowed = { ...HEALTHY, stability: null, acceptance: null, drift: null, virial: null };
  const { rows, notes } = formsOf([record("lebm", 0, [drifting]), record("lae", 0, [overflowed])]);
  assertHas(rows, "| LEBM † | LD + EBM | 100.0 (n = 1) |");
  assertHas(notes, "- † LEBM: posterior chain not at rest (energy drift -20.0 nats)");
  assertHas(rows, "| LAE ‡ | LD + EBM + amortization | 100.0 (n = 1) |");
  assertHas(
    rows,
    "| LAE | Fashion-MNIST 4k | posterior | 1 | 20 × 0.005 | not finite | – | – | – | unstable |",
  );
});

Deno.test("a clipped chain on images is judged by η L alone, and has a row of energies, gradients, saturation and distance", () => {
  const { acceptance: _acceptance, drift: _drift, virial: _virial, ...rest } = HEALTHY;
  const clipped = (end: number): ChainHealth => ({
    ...rest,
    chain: "images",
    images: {
      energy: {
        data: { mean: -3, standardError: 0.1 },
        start: { mean: 5, standardError: 0.1 },
        end: { mean: end, standardError: 0.1 },
      },
      gradientNorm: { start: 20, end: 10 },
      saturated: { data: 0.5, start: 0, end: null },
      distance: 0.25,
    },
  });
  const { rows } = formsOf([record("lebm", 0, [clipped(-2)]), record("lebm", 1, [clipped(-4)])]);
  assertHas(
    rows,
    "| LEBM | Fashion-MNIST 4k | images | 2 | 20 × 0.005 | 0.1500 (0.2100) | – | – | – | healthy |",
  );
  assertHas(
    rows,
    "| LEBM | Fashion-MNIST 4k | images | -3.000 ± 0.071 | 5.000 ± 0.071 | -3.000 ± 0.071 | 20.00 | 10.00 | 0.5000 | – | 0.2500 |",
  );
});

Deno.test("records without chain health, older or of a method without chains, have no mark and no table", () => {
  const { json, rows } = formsOf([record("lae", 0)]);
  assertHas(rows, "| LAE | LD + EBM + amortization | 100.0 (n = 1) |");
  assert.ok(!rows.some((row) => row.includes("acceptance")));
  assert.deepEqual(json.rows[0].chainHealth, []);
});
