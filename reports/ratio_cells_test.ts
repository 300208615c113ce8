/** Ratios of times stand only between rows that are alike in all but the method. */
import assert from "node:assert/strict";
import type { Provenance, RunRecord, RunSpec } from "../harness/core/records.ts";
import { assertHas, formsOf } from "./example_forms.ts";
import { exampleRecord, PAPER_SPEC } from "./example_records.ts";

/** Runs of `method`, of which each has an epoch of one of `seconds`; settings as in the paper but for a change. */
function timed(
  method: string,
  seconds: readonly number[],
  { spec = {}, hyper = {}, provenance = {} }: {
    readonly spec?: Partial<RunSpec>;
    readonly hyper?: RunSpec["hyper"];
    readonly provenance?: Partial<Provenance>;
  } = {},
): RunRecord[] {
  const settings = { ...PAPER_SPEC.hyper, priorSteps: 60, ...hyper };
  return seconds.map((second, seed) =>
    exampleRecord({
      spec: { ...PAPER_SPEC, metrics: [], method, seed, ...spec, hyper: settings },
      provenance,
      seconds: [99, second],
    })
  );
}

Deno.test("a ratio of times stands beside the paper's where settings, machine and chain lengths agree", () => {
  // Settings that do not change the time of an epoch.
  const learned = { sigma: 1, learnSigma: true, posteriorStepSize: 0.05, priorStepSize: 0.08 };
  const fixed = { sigma: 0.3, learnSigma: false, posteriorStepSize: 0.005, priorStepSize: 0.01 };
  const { rows, notes, json } = formsOf([
    ...timed("lae", [2, 2], { hyper: learned }),
    ...timed("lebm", [5, 4.8], { hyper: fixed }),
    ...timed("dlgm", [20, 22], { spec: { epochs: 9 }, hyper: { optimizer: "adam" } }), // LAE has no optimizer
  ]);
  assertHas(rows, "| LEBM / LAE | CIFAR-10 | 2.45 (2.40 to 2.50) | 2.47 (within) |");
  assertHas(rows, "| DLGM / LAE | CIFAR-10 | 10.50 (10.00 to 11.00) | 1.78 (outside) |");
  assert.ok(
    notes.some((note) =>
      /^- Comparable settings, unknown protocol \(CIFAR-10: .* does not state .*hardware/.test(note)
    ),
  );
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
    const { rows, json } = formsOf([...timed("lae", [2]), ...timed("lebm", [5], change)]);
    const row = rows.find((row) => row.startsWith("| LEBM / LAE |"));
    assert.ok(row?.includes(`| –: ${why} | not comparable |`), `${why}\nis not in ${row}`);
    const [{ ratio, range, reasons }] = json.ratios;
    assert.deepEqual({ ratio, range, reasons }, { ratio: null, range: null, reasons: [why] });
  }
});

Deno.test("a ratio of shortened chains says so in its cell, and is not comparable with the paper's", () => {
  const short = { hyper: { posteriorSteps: 5, priorSteps: 20 } };
  const { rows, notes } = formsOf([
    ...timed("lae", [2, 2], short),
    ...timed("lebm", [5, 5], short),
  ]);
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
  const amortized = timed("lae", [2, 2], { hyper: { priorSteps: 0 } });
  const { rows } = formsOf([...amortized, ...timed("lebm", [5, 5])]);
  assertHas(rows, "| LEBM / LAE | CIFAR-10 | 2.50 (2.50 to 2.50) | 2.47 (outside) |");
});

Deno.test("a ratio of single runs has no range, so no verdict", () => {
  const { rows, notes } = formsOf([...timed("lae", [2]), ...timed("lebm", [5, 5])]);
  assertHas(rows, "| LEBM / LAE | CIFAR-10 | 2.50 | not comparable |");
  assertHas(
    notes,
    "- Not comparable with the paper (CIFAR-10: LEBM / LAE, 2.47 there): one run, and a range takes two.",
  );
});

Deno.test("a ratio takes the rows that are alike, whichever come first", () => {
  const { json } = formsOf([
    ...timed("lae", [1], { hyper: { width: 0.25 } }),
    ...timed("lae", [2]),
    ...timed("lebm", [5]),
  ]);
  const [{ denominator, ratio }] = json.ratios;
  assert.deepEqual([json.ratios.length, denominator, ratio], [1, "lae (width = 1)", 2.5]);
});

Deno.test("a ratio needs a time of both methods", () => {
  const untimed = timed("lebm", [5]).map((record) => ({ ...record, epochs: [] }));
  const { rows } = formsOf([...timed("lae", [2]), ...untimed]);
  assert.ok(rows.some((row) => row.startsWith("| LEBM / LAE | CIFAR-10 | –: no time of lebm |")));
  assert.deepEqual(formsOf(timed("lae", [2])).json.ratios, []);
});

Deno.test("times of two machines stand in rows apart", () => {
  const { rows, notes, json } = formsOf([
    ...timed("lae", [2.4, 2.6]),
    ...timed("lae", [9], { spec: { seed: 2 }, provenance: { cpu: "Another CPU" } }),
    ...timed("lebm", [27], { provenance: { cpu: "Another CPU" } }),
  ]);
  assertHas(rows, "| Method | machine | CIFAR-10 | paper |");
  assertHas(rows, "| LAE | 2 | 2.500 (2.400 to 2.600; n = 2) | not comparable |");
  assertHas(rows, "| LAE | 1 | 9.000 (9.000 to 9.000; n = 1) | not comparable |");
  assertHas(rows, "| LEBM / LAE | CIFAR-10 | 1 | 3.00 | not comparable |");
  assert.ok(notes.some((note) => note.startsWith("- Machine 2: a runtime, 2 threads, A CPU")));
  assert.equal(json.rows.find(({ method }) => method === "lae")?.times.length, 2);
});

Deno.test("a busy machine is marked, and its times give no ratio", () => {
  const { rows, notes, json } = formsOf([...timed("lae", [2, 2.7]), ...timed("lebm", [5])]);
  assertHas(rows, "| LAE | 2.350 (2.000 to 2.700; n = 2; busy) | not comparable |");
  const why =
    "the slowest epoch of lae took 1.35 times the fastest, more than 1.3: the machine was busy";
  assertHas(rows, `| LEBM / LAE | CIFAR-10 | –: ${why} | not comparable |`);
  assert.ok(notes.some((note) => note.endsWith(`: ${why}.`)));
  assert.deepEqual(json.ratios.map(({ ratio, range }) => [ratio, range]), [[null, null]]);
  const steady = formsOf([...timed("lae", [2, 2.6]), ...timed("lebm", [5])]);
  assert.equal(steady.json.ratios[0].ratio, 5 / 2.3);
});

Deno.test("the epochs of a run resumed on another machine never share a median", () => {
  const [whole] = timed("lae", [2]);
  const segment = (epoch: number, cpu: string) => ({
    epoch,
    step: 0,
    startedAt: "2026-01-02T03:04:05.678Z",
    machine: { device: "d", cpu, cores: 2, jobs: 1, os: "linux" },
  });
  const epochOf = (epoch: number, seconds: number, warmup = false) => ({
    ...whole.epochs[0],
    epoch,
    seconds,
    warmup,
  });
  const resumed: RunRecord = {
    ...whole,
    // Trained on a node, resumed on another, and scored on a third: the last is the provenance's.
    segments: [segment(0, "node"), segment(3, "other"), segment(5, "login")],
    epochs: [
      epochOf(0, 9, true),
      epochOf(1, 2),
      epochOf(2, 2),
      epochOf(3, 9, true),
      epochOf(4, 8),
    ],
  };
  const { json } = formsOf([resumed]);
  const [{ times }] = json.rows;
  assert.deepEqual(
    times.map(({ machine, median, n }) => [machine.split(", ")[1], median, n]),
    [["node", 2, 2], ["other", 8, 1]],
  );
  assert.equal(json.provenance.machine.length, 3);
});
