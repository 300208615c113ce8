/** Published numbers stand beside runs of the published settings only. */
import assert from "node:assert/strict";
import { DATASETS } from "../datasets/mod.ts";
import type { Method } from "../harness/core/types.ts";
import type { RunRecord, RunSpec } from "../harness/core/records.ts";
import { PRESETS } from "../harness/experiment/presets.ts";
import { resolveRuns } from "../harness/experiment/spec.ts";
import { METRICS } from "../harness/metrics/metrics.ts";
import { METHODS } from "../methods/mod.ts";
import { matchProtocol } from "./compare_published.ts";
import { scoringConditions, trainingConditions } from "./conditions.ts";
import { assertHas, formsOf } from "./example_forms.ts";
import { examplePair, exampleRecord, PAPER_SPEC } from "./example_records.ts";
import { PAPER_SCORES } from "./published/paper.ts";
import { POSTER_SCORES } from "./published/poster.ts";

Deno.test("the paper's FID stands beside a run of the paper's settings, with what the paper leaves open", () => {
  const within = formsOf(examplePair(PAPER_SPEC, { mean: 97, std: 1 }));
  assertHas(
    within.rows,
    "| LAE | LD + EBM + amortization | 97.0 ± 1.0 (n = 2) | 95.85 ± 1.06 (within) |",
  );
  const [{ scores: [{ published }] }] = within.json.rows;
  // (97 - 95.85) / sqrt(1^2 + 1.06^2)
  assert.ok(Math.abs((published?.distance ?? NaN) - 0.7892) < 1e-4);
  const note = within.notes.find((note) =>
    note.startsWith("- Comparable settings, unknown protocol (CIFAR-10, FID: LAE)")
  );
  for (const open of ["epochs", "reference images", "Inception weights", "sampleCount (assumed"]) {
    assert.ok(note?.includes(open), `${open} in ${note}`);
  }
  const outside = formsOf(examplePair(PAPER_SPEC, { mean: 99, std: 1 })); // 2.16 deviations away
  assertHas(
    outside.rows,
    "| LAE | LD + EBM + amortization | 99.0 ± 1.0 (n = 2) | 95.85 ± 1.06 (outside) |",
  );
});

Deno.test("a published number of a single run is shown, and is never within or outside", () => {
  const hyper = { nets: "xie2022", width: 1, flowBlocks: 10, langevinSteps: 30 };
  const spec = { ...PAPER_SPEC, method: "coopflow", batchSize: 28, hyper };
  const { json, notes } = formsOf(examplePair(spec, { mean: 21, std: 0.5 }));
  const [{ scores: [{ published }] }] = json.rows;
  assert.equal(published?.printed, "21.16");
  assert.equal(published?.verdict, "not comparable");
  assert.deepEqual(published?.reasons, [
    "the CPMLA paper has one run, and a deviation takes two",
  ]);
  assert.ok(notes.some((note) => note.includes("the CPMLA paper has one run")), notes.join("\n"));
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
  const hyper = { nets: "mlp", width: 1, latentDim: 8 };
  const pair = (likelihood: string) =>
    [4.772, 4.776].map((nelbo, seed) => {
      const spec = {
        ...PAPER_SPEC,
        method: "lae_neurips",
        metrics: ["nelbo"],
        seed,
        hyper: { ...hyper, likelihood },
      };
      return exampleRecord({ spec, scores: { nelbo } });
    });
  assertHas(
    formsOf(pair("discretized_logistic")).rows,
    "| LAE (NeurIPS) | LD + amortization | 4.7740 ± 0.0028 (n = 2) | 4.773 ± 0.003 (within) |",
  );
  const gaussian = formsOf(pair("gaussian"));
  assertHas(
    gaussian.rows,
    "| LAE (NeurIPS) | LD + amortization | 4.7740 ± 0.0028 (n = 2) | not comparable |",
  );
  assertHas(
    gaussian.notes,
    "- Not comparable with the poster (CIFAR-10, -ELBO, nats/dim: LAE (NeurIPS)): " +
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
      assert.deepEqual(matchProtocol(conditions, protocol).reasons, [], `${method} ${dataset}`);
      return true;
    });
    assert.equal(matched.length, name === "table1" ? 24 : 12);
  }
});
