import assert from "node:assert/strict";
import * as z from "zod";
import { examplePair, exampleRecord, exampleTable, PAPER_SPEC } from "./example_records.ts";
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

/** Records with every kind of cell: comparisons of each verdict, ratios with and without a value, missing runs. */
const COMPARED = [
  ...examplePair(PAPER_SPEC, { mean: 96, std: 1 }),
  ...examplePair({ ...PAPER_SPEC, method: "dlgm" }, { mean: 200, std: 1 }),
  ...examplePair({ ...PAPER_SPEC, method: "lebm", batchSize: 1 }, { mean: 96, std: 1 }),
  exampleRecord({ spec: { ...PAPER_SPEC, seed: 2 } }),
];

const SCHEMA = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);

Deno.test("toJson() fits table.schema.json, empty or full", () => {
  const runList = COMPARED.map(({ id, spec }) => ({ id, spec }));
  const tables = [
    exampleTable(RECORDS),
    exampleTable([]),
    exampleTable(COMPARED.slice(0, -1), { runList }),
  ];
  for (const table of tables) {
    const text = toJson(table);
    assert.deepEqual(SCHEMA.parse(JSON.parse(text)), JSON.parse(text));
  }
  const { rows, ratios, runList: counts } = tables[2];
  const verdicts = rows.flatMap(({ scores }) => scores.map(({ published }) => published?.verdict));
  assert.deepEqual(verdicts, ["outside", "not comparable", "within"]);
  assert.deepEqual(ratios.map(({ ratio }) => ratio), [null, 1]);
  assert.deepEqual(counts, { asked: 7, missing: 1 });
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
    (copy) => copy.rows[0].scores[0].missing = 0,
    (copy) => copy.rows[0].key = null,
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
