import assert from "node:assert/strict";
import * as z from "zod";
import {
  exampleFindings,
  exampleLikelihood,
  examplePair,
  exampleRecord,
  exampleTable,
  PAPER_SPEC,
} from "./example_records.ts";
import { toJson } from "./json.ts";
import schema from "./table.schema.json" with { type: "json" };

const RECORDS = [
  exampleRecord({ spec: { seed: 0 }, scores: { fd_fashion: 1 }, untrained: { fd_fashion: 9 } }),
  exampleRecord({ spec: { seed: 1, epochs: 9 }, scores: { fd_fashion: 2 } }),
  exampleRecord({ spec: { method: "lebm" }, end: { status: "failed", error: "x" } }),
  exampleRecord({ spec: { dataset: "cifar10", metrics: ["fid"] }, scores: { fid: 90 } }),
  exampleRecord({
    spec: { seed: 2 },
    scores: { fd_fashion: 3 },
    families: {
      fashion: { samples: exampleFindings({ entropy: 1 }), real: exampleFindings() },
    },
  }),
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
    priorCheck: {
      count: 200,
      posterior: { energy: 1, trace: 5 },
      negatives: { energy: 2, trace: 4 },
      longChains: { energy: 3, trace: null },
    },
    decodedScores: { nelbo: 3 },
    alternatives: {
      x: {
        label: "X",
        scores: { fd_fashion: 3 },
        untrained: {},
        bitsPerDim: { mean: 3.5, standardError: 0.1 },
      },
    },
    calibration: {
      images: 100,
      priorIsExact: false,
      infer: {
        notFinite: 0,
        tests: {
          logJoint: { z: 1, p: 0.3, signP: 0.3, effect: 0.1, ties: 0, histogram: [60, 40] },
        },
      },
      fromTruth: { notFinite: 100, tests: null },
    },
    bounds: { nelbo: { importanceSamples: 1, draws: 10, images: 50, standardError: 0.1 } },
    chainHealth: [
      {
        chain: "posterior",
        count: 50,
        dimension: 32,
        steps: 20,
        stepSize: 0.005,
        stability: { quantile90: 0.1, largest: 0.2 },
        acceptance: { mean: 0.9, standardError: 0.01 },
        drift: { mean: 0, standardError: 0.1 },
        virial: { mean: 1, standardError: 0.1 },
      },
      {
        chain: "images",
        count: 50,
        dimension: 1024,
        steps: 20,
        stepSize: 40,
        stability: { quantile90: 0.1, largest: 0.2 },
        images: {
          energy: { data: { mean: 1, standardError: 0.1 }, start: null, end: null },
          gradientNorm: { start: 1, end: null },
          saturated: { data: 0.1, start: 0, end: 0.5 },
          distance: 0.2,
        },
      },
      {
        chain: "Phi",
        count: 1,
        dimension: 9,
        steps: 2,
        stepSize: 1,
        stability: null,
        acceptance: { mean: 0, standardError: null },
      },
    ],
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
    exampleTable(RECORDS, { likelihoods: [exampleLikelihood(RECORDS[0].id)] }),
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
