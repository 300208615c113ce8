/**
 * Folders of hand-made records in which an unwary table would average, divide or set side by side what is not
 * comparable; each is read in every form of the report.
 */
import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import * as z from "zod";
import { METHODS } from "../methods/mod.ts";
import { DATASETS } from "../datasets/mod.ts";
import { PRESETS } from "../harness/experiment/presets.ts";
import { resolveRuns } from "../harness/experiment/spec.ts";
import { METRICS } from "../harness/metrics/metrics.ts";
import type { Method, Provenance, RunRecord, RunSpec } from "../harness/core/types.ts";
import { matchProtocol } from "./compare_published.ts";
import { scoringConditions, trainingConditions } from "./conditions.ts";
import type { ResultTable } from "./document/result_table.ts";
import { examplePair, exampleRecord, exampleTable, PAPER_SPEC } from "./example_records.ts";
import { toHtml } from "./html.ts";
import { toJson } from "./json.ts";
import { toMarkdown } from "./markdown.ts";
import { PAPER_SCORES } from "./published/paper.ts";
import { POSTER_SCORES } from "./published/poster.ts";
import type { ListedRun } from "./table.ts";
import tableSchema from "./table.schema.json" with { type: "json" };

const SCHEMA = z.fromJSONSchema(tableSchema as Parameters<typeof z.fromJSONSchema>[0]);

/** The part of linkedom's elements that is used here: Deno's types have no DOM. */
interface Element {
  readonly children: Iterable<Element>;
  readonly textContent: string;
  querySelectorAll(selector: string): Iterable<Element>;
}

/** A table in its three forms: the JSON as read back, and the rows and notes that Markdown and HTML both show. */
interface Forms {
  readonly json: ResultTable;
  readonly rows: readonly string[];
  readonly notes: readonly string[];
}

/** The forms of the table of `records`. Fails where Markdown and HTML differ, or where the JSON breaks its schema. */
function formsOf(
  records: readonly RunRecord[],
  runList: readonly ListedRun[] | null = null,
): Forms {
  const table = exampleTable(records, { runList });
  const json = JSON.parse(toJson(table)) as ResultTable;
  SCHEMA.parse(json);
  const lines = toMarkdown(table).split("\n").map((line) => line.replaceAll(/ +/g, " "));
  const rows = lines.filter((line) => line.startsWith("|") && !line.startsWith("| ---"));
  const notes = lines.filter((line) => line.startsWith("- "));
  const { document } = parseHTML(toHtml(table)) as unknown as { readonly document: Element };
  const elements = (selector: string) => [...document.querySelectorAll(selector)];
  const htmlRows = elements("tr").map((row) =>
    `| ${[...row.children].map((cell) => cell.textContent).join(" | ")} |`.replaceAll(/ +/g, " ")
  );
  assert.deepEqual(htmlRows, rows);
  assert.deepEqual(elements("li").map((item) => `- ${item.textContent}`), notes);
  return { json, rows, notes };
}

function assertHas(lines: readonly string[], line: string): void {
  assert.ok(lines.includes(line), `${line}\nis not among\n${lines.join("\n")}`);
}

const listOf = (records: readonly RunRecord[]): ListedRun[] =>
  records.map(({ id, spec }) => ({ id, spec }));

// ---------------------------------------------------------------- published numbers

Deno.test("the paper's FID stands beside a run of the paper's settings, with what the paper leaves open", () => {
  const within = formsOf(examplePair(PAPER_SPEC, { mean: 97, std: 1 }));
  assertHas(
    within.rows,
    "| LAE | LD + EBM + amortization | 97.0 ± 1.0 (n = 2) | 95.85 ± 1.06 (within) |",
  );
  const [{ scores: [{ published }] }] = within.json.rows;
  // (97 - 95.85) / sqrt(1^2 + 1.06^2)
  assert.ok(Math.abs((published?.distance ?? NaN) - 0.7892) < 1e-4);
  const note = within.notes.find((note) => note.startsWith("- The settings agree"));
  for (const open of ["epochs", "reference images", "Inception weights", "sampleCount (assumed"]) {
    assert.ok(note?.includes(open), `${open} in ${note}`);
  }
  const outside = formsOf(examplePair(PAPER_SPEC, { mean: 99, std: 1 })); // 2.16 deviations away
  assertHas(
    outside.rows,
    "| LAE | LD + EBM + amortization | 99.0 ± 1.0 (n = 2) | 95.85 ± 1.06 (outside) |",
  );
});

Deno.test("published numbers keep the zeros that they were printed with", () => {
  const spec = { ...PAPER_SPEC, method: "vae" };
  const { rows } = formsOf(examplePair(spec, { mean: 106, std: 0.51 }));
  assertHas(rows, "| vae | | 106.00 ± 0.51 (n = 2) | 106.0 ± 0.5 (within) |");
});

Deno.test("the paper's FID does not stand beside a run of other settings, and a note says why", () => {
  const { hyper } = PAPER_SPEC;
  const cases: [Partial<RunSpec>, string][] = [
    [{ hyper: { ...hyper, nets: "mlp" } }, "nets mlp (table2 in Table 2)"],
    [{ hyper: { ...hyper, width: 0.25 } }, "width 0.25 (1 in Table 2)"],
    [{ hyper: { ...hyper, latentDim: 64 } }, "latentDim 64 (128 in appendix F.3)"],
    [
      { hyper: { ...hyper, likelihood: "discretized_logistic" } },
      "likelihood discretized_logistic (gaussian in eq. 9)",
    ],
    [{ batchSize: 40 }, "batchSize 40 (100 in appendix F.3)"],
    [{ trainCount: 1000 }, "trainCount 1000 (all in the paper)"],
    [{ sampleCount: 1000 }, "sampleCount 1000 (50000 in LEBM's code)"],
    [
      { hyper: { nets: "table2", width: 1, likelihood: "gaussian" } },
      "latentDim absent (128 in " +
      "appendix F.3)",
    ],
  ];
  for (const [change, why] of cases) {
    const { rows, notes, json } = formsOf(
      examplePair({ ...PAPER_SPEC, ...change }, { mean: 96, std: 1 }),
    );
    assertHas(
      rows,
      "| LAE | LD + EBM + amortization | 96.0 ± 1.0 (n = 2) | not comparable |",
    );
    assertHas(notes, `- Not comparable with the paper (CIFAR-10, FID: LAE): ${why}.`);
    const [{ scores: [{ published }] }] = json.rows;
    assert.deepEqual([published?.verdict, published?.distance], ["not comparable", null]);
  }
});

Deno.test("a method that trains with shortened chains is not beside its published score", () => {
  const spec = {
    ...PAPER_SPEC,
    method: "lebm",
    hyper: { ...PAPER_SPEC.hyper, posteriorSteps: 5, priorSteps: 60 },
  };
  const { notes } = formsOf(examplePair(spec, { mean: 97, std: 1 }));
  assertHas(
    notes,
    "- Not comparable with the paper (CIFAR-10, FID: LEBM): posteriorSteps 5 (20 in LEBM's code).",
  );
});

Deno.test("one seed has no deviation, so no verdict", () => {
  const [record] = examplePair(PAPER_SPEC, { mean: 96, std: 1 });
  assertHas(
    formsOf([record]).notes,
    "- Not comparable with the paper (CIFAR-10, FID: LAE): one seed, and a deviation takes two.",
  );
});

Deno.test("the poster's numbers stand beside bounds for pixels in 256 levels only", () => {
  const hyper = { nets: "mlp", width: 1, latentDim: 8, variant: "neurips" };
  const pair = (likelihood: string) =>
    [4.772, 4.776].map((nelbo, seed) => {
      const spec = { ...PAPER_SPEC, metrics: ["nelbo"], seed, hyper: { ...hyper, likelihood } };
      return exampleRecord({ spec, scores: { nelbo } });
    });
  assertHas(
    formsOf(pair("discretized_logistic")).rows,
    "| LAE | LD + EBM + amortization | 4.7740 ± 0.0028 (n = 2) | 4.773 ± 0.003 (within) |",
  );
  const gaussian = formsOf(pair("gaussian"));
  assertHas(
    gaussian.rows,
    "| LAE | LD + EBM + amortization | 4.7740 ± 0.0028 (n = 2) | not comparable |",
  );
  assertHas(
    gaussian.notes,
    "- Not comparable with the poster (CIFAR-10, -ELBO, nats/dim: LAE): " +
      "likelihood gaussian (discretized_logistic in the released code).",
  );
});

Deno.test("published seconds are not beside ours, since the paper does not state its hardware", () => {
  const { rows, notes } = formsOf(
    examplePair(PAPER_SPEC, { mean: 96, std: 1, seconds: [9, 34, 35] }),
  );
  assertHas(rows, "| LAE | 34.50 (34.00 to 35.00; n = 4) | not comparable |");
  assertHas(
    notes,
    "- Not comparable with the paper (CIFAR-10: LAE): the paper does not state its hardware.",
  );
});

Deno.test("the presets table1 and likelihood_full are comparable with the published tables", () => {
  const tables = {
    methods: METHODS as Readonly<Record<string, Method>>,
    datasets: DATASETS,
    metrics: METRICS,
  };
  const published = { table1: PAPER_SCORES, likelihood_full: POSTER_SCORES };
  for (const [name, scores] of Object.entries(published)) {
    const preset = PRESETS[name];
    const methods = preset.methods ?? Object.keys(METHODS);
    const specs = resolveRuns({ ...preset, name, methods, threads: 1 }, tables);
    const matched = scores.filter(({ method, dataset, metric, protocol }) => {
      const spec = specs.find((spec) => spec.method === method && spec.dataset === dataset);
      if (spec === undefined) return false; // the poster's CelebA
      const { provenance: _, ...record } = exampleRecord({ spec, scores: { [metric]: 1 } });
      const run = { ...record, provenance: null } as RunRecord;
      const conditions = { ...trainingConditions(run), ...scoringConditions(run) };
      // The poster's bounds do not depend on the number of images sampled from the model.
      assert.deepEqual(matchProtocol(conditions, protocol).reasons, [], `${method} ${dataset}`);
      return true;
    });
    assert.equal(matched.length, name === "table1" ? 24 : 12);
  }
});

// ---------------------------------------------------------------- ratios of times

/** An epoch of `method` takes `seconds`; settings as in the paper but for `change`. */
function timed(
  method: string,
  seconds: number,
  { spec = {}, hyper = {}, provenance = {} }: {
    readonly spec?: Partial<RunSpec>;
    readonly hyper?: RunSpec["hyper"];
    readonly provenance?: Partial<Provenance>;
  } = {},
): RunRecord {
  return exampleRecord({
    spec: {
      ...PAPER_SPEC,
      metrics: [],
      method,
      ...spec,
      hyper: { ...PAPER_SPEC.hyper, priorSteps: 60, ...hyper },
    },
    provenance,
    seconds: [99, seconds],
  });
}

Deno.test("a ratio of times stands beside the paper's where settings, machine and chain lengths agree", () => {
  const { rows, notes, json } = formsOf([
    timed("lae", 2),
    timed("lebm", 5, { hyper: { sigma: 0.3, learnSigma: false } }), // no matter for the time
    timed("lebm", 4.8, { spec: { seed: 1 }, hyper: { sigma: 0.3, learnSigma: false } }),
    timed("dlgm", 21, { hyper: { optimizer: "adam" } }), // a setting that LAE does not have
  ]);
  assertHas(rows, "| LEBM / LAE | CIFAR-10 | 2.45 (2.40 to 2.50) | 2.47 (within) |");
  assertHas(rows, "| DLGM / LAE | CIFAR-10 | 10.50 (10.50 to 10.50) | 1.78 (outside) |");
  assert.ok(notes.some((note) => /may be due to what it does not state: .*hardware/.test(note)));
  assert.deepEqual(json.ratios.map(({ numerator, denominator }) => [numerator, denominator]), [
    ["lebm", "lae"],
    ["dlgm", "lae"],
  ]);
});

Deno.test("there is no ratio of times between runs that differ in more than the method", () => {
  const cases: [Parameters<typeof timed>[2], string][] = [
    [{ hyper: { width: 0.25 } }, "width 0.25 against 1"],
    [{ hyper: { nets: "mlp" } }, "nets mlp against table2"],
    [{ hyper: { latentDim: 64 } }, "latentDim 64 against 128"],
    [{ spec: { batchSize: 50 } }, "batchSize 50 against 100"],
    [{ spec: { trainCount: 1000 } }, "trainCount 1000 against all"],
    [{ spec: { device: "cuda" } }, "device cuda against cpu"],
    [{ spec: { threads: 1 } }, "threads 1 against 2"],
    [{ provenance: { cpu: "Another CPU" } }, "cpu Another CPU against A CPU"],
    [{ provenance: { cores: 4 } }, "cores 4 against 2"],
    [{ provenance: { jobs: 2 } }, "jobs 2 against 1"],
    [{ provenance: { os: "darwin" } }, "os darwin against linux x86_64"],
    [{ provenance: { device: "a runtime 2" } }, "runtime a runtime 2 against a runtime, 2 threads"],
    [{ provenance: { datasetSha256: "b2" } }, "data SHA-256 b2 against bb"],
  ];
  for (const [change, why] of cases) {
    const { rows, json } = formsOf([timed("lae", 2), timed("lebm", 5, change)]);
    const row = rows.find((row) => row.startsWith("| LEBM / LAE |"));
    assert.ok(row?.includes(`| –: ${why} | not comparable |`), `${why}\nis not in ${row}`);
    const [{ ratio, range, reasons }] = json.ratios;
    assert.deepEqual({ ratio, range, reasons }, { ratio: null, range: null, reasons: [why] });
  }
});

Deno.test("a ratio of shortened chains says so in its cell, and is not comparable with the paper's", () => {
  const short = { hyper: { posteriorSteps: 5, priorSteps: 20 } };
  const { rows, notes } = formsOf([timed("lae", 2, short), timed("lebm", 5, short)]);
  const lengths = "posteriorSteps 5 (20 in LEBM's code), priorSteps 20 (60 in LEBM's code)";
  assertHas(
    rows,
    `| LEBM / LAE | CIFAR-10 | 2.50 (2.50 to 2.50) at ${lengths} | not comparable |`,
  );
  assertHas(
    notes,
    `- Not comparable with the paper (CIFAR-10: LEBM / LAE, 2.47 there): ${lengths}.`,
  );
});

Deno.test("LAE's settings of chains at test time do not bar a ratio: it trains without them", () => {
  const { rows } = formsOf([timed("lae", 2, { hyper: { priorSteps: 0 } }), timed("lebm", 5)]);
  assertHas(rows, "| LEBM / LAE | CIFAR-10 | 2.50 (2.50 to 2.50) | 2.47 (outside) |");
});

Deno.test("a ratio takes the rows that are alike, whichever come first", () => {
  const { json } = formsOf([
    timed("lae", 1, { hyper: { width: 0.25 } }),
    timed("lae", 2),
    timed("lebm", 5),
  ]);
  const [{ denominator, ratio }] = json.ratios;
  assert.deepEqual([json.ratios.length, denominator, ratio], [1, "lae (width = 1)", 2.5]);
});

Deno.test("a ratio needs a time of both methods", () => {
  const none = { spec: { epochs: 1 } };
  const untimed = { ...timed("lebm", 5, none), epochs: [] };
  const { rows } = formsOf([timed("lae", 2), untimed]);
  assert.ok(rows.some((row) => row.startsWith("| LEBM / LAE | CIFAR-10 | –: no time of lebm |")));
  assert.deepEqual(formsOf([timed("lae", 2)]).json.ratios, []);
});

Deno.test("times of two machines stand in rows apart", () => {
  const { rows, notes, json } = formsOf([
    timed("lae", 2),
    timed("lae", 3, { spec: { seed: 1 } }),
    timed("lae", 9, { spec: { seed: 2 }, provenance: { cpu: "Another CPU" } }),
    timed("lebm", 27, { provenance: { cpu: "Another CPU" } }),
  ]);
  assertHas(rows, "| Method | machine | CIFAR-10 | paper |");
  assertHas(rows, "| LAE | 2 | 2.500 (2.000 to 3.000; n = 2) | not comparable |");
  assertHas(rows, "| LAE | 1 | 9.000 (9.000 to 9.000; n = 1) | not comparable |");
  assertHas(rows, "| LEBM / LAE | CIFAR-10 | 1 | 3.00 (3.00 to 3.00) | 2.47 (outside) |");
  assert.ok(notes.some((note) => note.startsWith("- Machine 2: a runtime, 2 threads, A CPU")));
  assert.equal(json.rows.find(({ method }) => method === "lae")?.times.length, 2);
});

// ---------------------------------------------------------------- averages over seeds

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

Deno.test("the untrained mean says how many seeds it has, where that is not the score's n", () => {
  const { rows } = formsOf([
    exampleRecord({ spec: { seed: 0 }, scores: { fd_fashion: 5 }, untrained: { fd_fashion: 321 } }),
    exampleRecord({ spec: { seed: 1 }, scores: { fd_fashion: 6 } }),
  ]);
  assertHas(rows, "| LAE | LD + EBM + amortization | 5.50 ± 0.71 (n = 2) | 321.0 (n = 1) |");
});

// ---------------------------------------------------------------- completeness

Deno.test("a folder with 16 of 18 runs shows which are missing", () => {
  const all = ["dlgm", "lebm", "lae"].flatMap((method) =>
    ["fashion_4k", "cifar10"].flatMap((dataset) =>
      [0, 1, 2].map((seed) =>
        exampleRecord({ spec: { method, dataset, seed }, scores: { fd_fashion: 5 + seed } })
      )
    )
  );
  const isMissing = ({ spec: { method, dataset, seed } }: RunRecord) =>
    method === "lebm" && dataset === "cifar10" && seed !== 1;
  const present = all.filter((record) => !isMissing(record));
  assert.equal(present.length, 16);
  const { json, rows, notes } = formsOf(present, listOf(all));
  assertHas(rows, "| LEBM | LD + EBM | 6.0 ± 1.0 (n = 3) | 6.000 (n = 1 of 3) |");
  assertHas(rows, "| LAE | LD + EBM + amortization | 6.0 ± 1.0 (n = 3) | 6.0 ± 1.0 (n = 3) |");
  assertHas(notes, "- LEBM, CIFAR-10: no record of seeds 0, 2");
  assertHas(notes, "- runs: 16 completed, 2 of 18 missing");
  assert.deepEqual(json.runList, { asked: 18, missing: 2 });
  const { scores: [complete, short] } = json.rows[1];
  assert.deepEqual([complete.missing, short.missing], [[], [0, 2]]);
  assert.ok(!notes.some((note) => note.includes("unknown whether runs are missing")));
});

Deno.test("a method without a single record has its row, and a failed seed is lost, not missing", () => {
  const [failed, absent] = [
    exampleRecord({ spec: { method: "dlgm" }, end: { status: "failed", error: "no memory" } }),
    exampleRecord({ spec: { method: "lae" } }),
  ];
  const { rows, notes, json } = formsOf([failed], listOf([failed, absent]));
  assertHas(rows, "| LAE | LD + EBM + amortization | – (n = 0 of 1) |");
  assertHas(notes, "- LAE, Fashion-MNIST 4k: no record of seed 0");
  assertHas(notes, "- DLGM, Fashion-MNIST 4k, fd_fashion, seed 0: failed: no memory");
  assert.deepEqual(json.rows.map(({ scores: [{ missing }] }) => missing), [[], [0]]);
});

Deno.test("without a run list, or outside it, the report says that completeness is unknown", () => {
  const [listed, other] = ["lebm", "lae"].map((method) =>
    exampleRecord({ spec: { method }, scores: { fd_fashion: 5 } })
  );
  const without = formsOf([listed, other]);
  assertHas(
    without.notes,
    "- It is unknown whether runs are missing: there is no run list.",
  );
  assert.deepEqual([without.json.runList, without.json.rows[0].scores[0].missing], [null, null]);
  const partly = formsOf([listed, other], listOf([listed]));
  assertHas(
    partly.notes,
    "- It is unknown whether runs are missing: the run list does not name LAE, Fashion-MNIST 4k.",
  );
});
