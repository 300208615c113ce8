import assert from "node:assert/strict";
import * as z from "zod";
import { exampleRecord, exampleTable } from "./example_records.ts";
import { toJson } from "./json.ts";
import schema from "./table.schema.json" with { type: "json" };

const RECORDS = [
  exampleRecord({ spec: { seed: 0 }, scores: { fd_fashion: 1 }, untrained: { fd_fashion: 9 } }),
  exampleRecord({ spec: { seed: 1, epochs: 9 }, scores: { fd_fashion: 2 } }),
  exampleRecord({ spec: { method: "lebm" }, end: { status: "failed", error: "x" } }),
  exampleRecord({ spec: { dataset: "cifar10", metrics: ["fid"] }, scores: { fid: 90 } }),
  exampleRecord({
    spec: { metrics: ["nelbo"] },
    scores: { nelbo: 2 },
    reconstructionError: 0.02,
    diagnostics: {
      features: 8,
      rows: 40,
      rank: 7,
      leverage: { mean: 0.175, min: 0.1, max: 0.9 },
      varianceRatio: null,
      moves: 100,
    },
    bounds: { nelbo: { importanceSamples: 1, draws: 10, images: 50, standardError: 0.1 } },
  }),
];

const SCHEMA = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);

Deno.test("toJson() fits table.schema.json, empty or full", () => {
  for (const records of [RECORDS, []]) {
    const text = toJson(exampleTable(records));
    assert.deepEqual(SCHEMA.parse(JSON.parse(text)), JSON.parse(text));
  }
});

Deno.test("table.schema.json refuses what is missing, of another type, or unknown", () => {
  const table = JSON.parse(toJson(exampleTable(RECORDS)));
  const broken: ((copy: typeof table) => void)[] = [
    (copy) => delete copy.rows,
    (copy) => copy.schema = 1,
    (copy) => copy.rows[0].scores[0].mean = "2",
    (copy) => delete copy.rows[0].scores[0].n,
    (copy) => copy.rows[0].extra = 1,
    (copy) => copy.metrics[0].better = "best",
    (copy) => copy.settings.epochs = 4,
  ];
  for (const change of broken) {
    const copy = structuredClone(table);
    change(copy);
    assert.equal(SCHEMA.safeParse(copy).success, false, String(change));
  }
});

Deno.test("toJson() gives the same bytes for the same records", () => {
  const text = () => toJson(exampleTable(structuredClone(RECORDS)));
  assert.equal(text(), text());
});
