/** Averages are over seeds that are alike in everything else. */
import assert from "node:assert/strict";
import { assertHas, formsOf } from "./example_forms.ts";
import { exampleRecord } from "./example_records.ts";

const A = "a".repeat(64);
const B = "b".repeat(64);

Deno.test("seeds scored under different conditions are rows apart, labelled with what differs", () => {
  const basis = { importanceSamples: 1, draws: 100, images: 1000, standardError: 0.1 };
  const diagnostics = {
    features: 8,
    rows: 40,
    rank: 7,
    leverage: { mean: 0.2, min: 0.1, max: 0.9 },
    varianceRatio: null,
    moves: 100,
  };
  type Change = Parameters<typeof exampleRecord>[0];
  const cases: [Change, Change, [string, string]][] = [
    [
      { provenance: { metricSha256: { fid: A } } },
      { provenance: { metricSha256: { fid: B } } },
      ["fid weights = aaaaaaaa", "fid weights = bbbbbbbb"],
    ],
    [
      { provenance: { metricSettings: { fid: { mode: "tf", quantize: "bytes" } } } },
      { provenance: { metricSettings: { fid: { mode: "clean", quantize: "bytes" } } } },
      ["fid settings = mode tf, quantize bytes", "fid settings = mode clean, quantize bytes"],
    ],
    [
      { provenance: { metricSettings: { fid: { mode: "tf" } } } },
      { provenance: { metricSettings: undefined } }, // a record from before metrics had settings
      ["fid settings = mode tf", "fid settings = none"],
    ],
    [
      { provenance: { datasetSha256: A } },
      { provenance: { datasetSha256: B } },
      ["data SHA-256 = aaaaaaaa", "data SHA-256 = bbbbbbbb"],
    ],
    [
      { spec: { sampleCount: 1000 } },
      { spec: { sampleCount: 50_000 } },
      ["sampleCount = 1000", "sampleCount = 50000"],
    ],
    [
      { bounds: { fid: basis } },
      { bounds: { fid: { ...basis, draws: 10 } } },
      ["fid draws = 100 for each of 1000 images", "fid draws = 10 for each of 1000 images"],
    ],
    [
      { diagnostics },
      { diagnostics: { ...diagnostics, moves: 10 } },
      ["moves of the diagnosed chains = 100", "moves of the diagnosed chains = 10"],
    ],
  ];
  for (const [first, second, labels] of cases) {
    const record = (change: Change, seed: number, fid: number) =>
      exampleRecord({
        ...change,
        spec: { dataset: "cifar10", metrics: ["fid"], ...change.spec, seed },
        scores: { fid },
      });
    const { json, rows } = formsOf([
      record(first, 0, 90),
      record(second, 1, 70),
      record(first, 2, 92),
      // A failed run has no known weights or data: it counts towards the first row that it may belong to.
      { ...record(first, 3, 0), status: "failed", error: "x", provenance: null },
    ]);
    assert.deepEqual(json.rows.map(({ variant }) => variant), labels);
    assert.deepEqual(
      json.rows.map(({ scores: [{ mean, n, lost }] }) => [mean, n, lost.length]),
      [[91, 2, 1], [70, 1, 0]],
    );
    const line = (label: string, text: string) =>
      rows.some((row) => row.startsWith(`| LAE (${label}) | LD + EBM + amortization | ${text} |`));
    assert.ok(line(labels[0], "91.0 ± 1.4 (n = 2 of 3)"), rows.join("\n"));
    assert.ok(line(labels[1], "70.00 (n = 1)"), rows.join("\n"));
    assert.equal(new Set(json.rows.map(({ key }) => key)).size, 2);
  }
});

Deno.test("a run that lacks one of its scores stays in its row", () => {
  const spec = { dataset: "cifar10", metrics: ["fid", "fd_fashion"] };
  const { json } = formsOf([
    exampleRecord({
      spec: { ...spec, seed: 0 },
      scores: { fd_fashion: 4 }, // made where the weights of the other were not available
      provenance: { metricSha256: { fd_fashion: A } },
    }),
    exampleRecord({
      spec: { ...spec, seed: 1 },
      scores: { fid: 90, fd_fashion: 6 },
      provenance: { metricSha256: { fd_fashion: A, fid: B } },
    }),
  ]);
  const [{ scores: [fid, fashion] }] = json.rows;
  assert.deepEqual([json.rows.length, fid.n, fid.lost.length, fashion.mean], [1, 1, 1, 5]);
});

Deno.test("the label of a row compares data set by data set", () => {
  const { json } = formsOf([
    exampleRecord({ spec: { hyper: { latentDim: 64 } } }),
    exampleRecord({ spec: { dataset: "cifar10", hyper: { latentDim: 128 } } }),
    exampleRecord({ spec: { dataset: "cifar10", hyper: { latentDim: 128 }, epochs: 50 } }),
  ]);
  assert.deepEqual(json.rows.map(({ variant }) => variant), ["epochs = 4", "epochs = 50"]);
});

Deno.test("labels of rows name the same conditions in the same order, and tell data sets apart", () => {
  const record = (dataset: string, epochs: number, width: number) =>
    exampleRecord({ spec: { dataset, epochs, hyper: { width } } });
  const { json } = formsOf([
    record("fashion_4k", 1, 1),
    record("fashion_4k", 1, 2),
    record("fashion_4k", 2, 2),
    record("cifar10", 4, 1),
    record("cifar10", 3, 1),
  ]);
  assert.deepEqual(json.rows.map(({ variant }) => variant), [
    "epochs = 1 on fashion_4k, 4 on cifar10; width = 1",
    "epochs = 1 on fashion_4k, 3 on cifar10; width = 2",
    "epochs = 2; width = 2",
  ]);
});

Deno.test("the untrained mean says how many seeds it has, where that is not the score's n", () => {
  const { rows } = formsOf([
    exampleRecord({ spec: { seed: 0 }, scores: { fd_fashion: 5 }, untrained: { fd_fashion: 321 } }),
    exampleRecord({ spec: { seed: 1 }, scores: { fd_fashion: 6 } }),
  ]);
  assertHas(rows, "| LAE | LD + EBM + amortization | 5.50 ± 0.71 (n = 2) | 321.0 (n = 1) |");
});

Deno.test("a mean over seeds of different code is marked, also one whose run was resumed under other code", () => {
  const record = (seed: number, sha256: string, earlier?: string[]) =>
    exampleRecord({
      spec: { seed },
      scores: { fd_fashion: 1 },
      provenance: { code: { sha256, parts: {}, ...earlier && { earlier } } },
    });
  const marked = "± 0 (n = 2, different code)";
  const shown = (...records: ReturnType<typeof record>[]) => formsOf(records).rows.join("\n");
  assert.ok(shown(record(0, A), record(1, B)).includes(marked));
  assert.ok(shown(record(0, A), record(1, A, [B])).includes(marked));
  assert.doesNotMatch(shown(record(0, A), record(1, A)), /different code/);
});

Deno.test("numbers of threads separate rows only on devices whose bits depend on them", () => {
  const variants = (device: string) => {
    const runs = [1, 8].map((threads, seed) => exampleRecord({ spec: { device, threads, seed } }));
    return formsOf(runs).json.rows.map(({ variant }) => variant);
  };
  assert.deepEqual(variants("cpu"), ["threads = 1", "threads = 8"]);
  assert.deepEqual(variants("cuda"), [""]);
});
