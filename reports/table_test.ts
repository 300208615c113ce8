import assert from "node:assert/strict";
import { EXAMPLE_NAMES, exampleRecord } from "./example_records.ts";
import { buildTable } from "./table.ts";

Deno.test("buildTable() has rows and columns in the order of the tables, not of the records", () => {
  const { rows, datasets } = buildTable([
    exampleRecord({ spec: { method: "lae", dataset: "cifar10" } }),
    exampleRecord({ spec: { method: "stranger" } }),
    exampleRecord({ spec: { method: "dlgm" } }),
  ], EXAMPLE_NAMES);
  assert.deepEqual(rows.map(({ label }) => label), ["DLGM", "LAE", "stranger"]);
  assert.deepEqual(datasets.map(({ name }) => name), ["fashion_4k", "cifar10"]);
});

Deno.test("buildTable() gives mean, sample deviation and n over seeds, and the untrained mean", () => {
  const { rows } = buildTable(
    [3, 1, 2].map((value, seed) =>
      exampleRecord({
        spec: { seed },
        scores: { fd_fashion: value },
        untrained: { fd_fashion: 100 + value },
      })
    ),
    EXAMPLE_NAMES,
  );
  const [cell] = rows[0].scores;
  assert.deepEqual([cell.mean, cell.std, cell.n, cell.untrained], [2, 1, 3, 102]);
  assert.deepEqual(cell.values.map(({ value }) => value), [3, 1, 2]);
});

Deno.test("buildTable() shows lost seeds with the reason", () => {
  const { rows, runs } = buildTable([
    exampleRecord({ spec: { seed: 0 }, scores: { fd_fashion: 5 } }),
    exampleRecord({ spec: { seed: 2 }, end: { status: "failed", error: "no memory" } }),
    exampleRecord({ spec: { seed: 1 }, end: { status: "diverged", epoch: 3, metric: "loss" } }),
  ], EXAMPLE_NAMES);
  const [cell] = rows[0].scores;
  assert.deepEqual([cell.mean, cell.std, cell.n], [5, null, 1]);
  assert.deepEqual(cell.lost, [
    { seed: 1, why: "diverged in epoch 4: loss was not finite" },
    { seed: 2, why: "failed: no memory" },
  ]);
  assert.deepEqual(runs, { completed: 1, diverged: 1, failed: 1, interrupted: 0 });
});

Deno.test("buildTable() never averages over different settings: another row says what differs", () => {
  const { rows } = buildTable([
    exampleRecord({ spec: { seed: 0 }, scores: { fd_fashion: 1 } }),
    exampleRecord({
      spec: { seed: 0, epochs: 50, hyper: { width: 1 } },
      scores: { fd_fashion: 7 },
    }),
    exampleRecord({ spec: { seed: 1 }, scores: { fd_fashion: 3 } }),
  ], EXAMPLE_NAMES);
  assert.deepEqual(rows.map(({ variant }) => variant), ["", "epochs = 50, width = 1"]);
  assert.deepEqual(rows.map(({ scores }) => scores[0].mean), [2, 7]);
});

Deno.test("buildTable() keeps one row for a method whose settings differ by data set only", () => {
  const { rows } = buildTable([
    exampleRecord({ spec: { hyper: { latentDim: 64 } } }),
    exampleRecord({ spec: { dataset: "cifar10", hyper: { latentDim: 128 } } }),
  ], EXAMPLE_NAMES);
  assert.equal(rows.length, 1);
});

Deno.test("buildTable() puts the paper's FID beside FID on its data set, and beside nothing else", () => {
  const { rows } = buildTable([
    exampleRecord({
      spec: { dataset: "cifar10", metrics: ["fid", "fd_fashion"] },
      scores: { fid: 90, fd_fashion: 4 },
    }),
  ], EXAMPLE_NAMES);
  const papers = rows[0].scores.map(({ metric, paper }) => [metric, paper]);
  assert.deepEqual(papers, [["fid", { mean: 95.85, std: 1.06 }], ["fd_fashion", null]]);
});

Deno.test("buildTable() takes times from all epochs but the warm-ups", () => {
  const { rows } = buildTable([
    exampleRecord({ spec: { seed: 0 }, seconds: [90, 2, 3] }),
    exampleRecord({ spec: { seed: 1 }, seconds: [90, 5, 6] }),
  ], EXAMPLE_NAMES);
  const [{ median, min, max, n }] = rows[0].times;
  assert.deepEqual({ median, min, max, n }, { median: 4, min: 2, max: 6, n: 4 });
});

Deno.test("buildTable() gives the paper's ratios, within one machine only", () => {
  const records = (provenance: { cpu?: string; jobs?: number }) => [
    exampleRecord({ spec: { method: "lae" }, seconds: [1, 2] }),
    exampleRecord({ spec: { method: "lebm" }, seconds: [1, 5], provenance }),
    exampleRecord({ spec: { method: "dlgm" }, seconds: [1] }),
  ];
  const ratios = (provenance: { cpu?: string; jobs?: number }) =>
    buildTable(records(provenance), EXAMPLE_NAMES).ratios
      .map(({ numerator, ratio, paper }) => [numerator, ratio, paper]);
  assert.deepEqual(ratios({}), [["lebm", 2.5, 2.47], ["dlgm", null, 1.78]]);
  assert.deepEqual(ratios({ cpu: "Another CPU" })[0], ["lebm", null, 2.47]);
  assert.deepEqual(ratios({ jobs: 2 })[0], ["lebm", null, 2.47]);
});

Deno.test("buildTable() puts the poster's number beside a bound for pixels in 256 levels only", () => {
  const paperOf = (likelihood: string) => {
    const spec = { dataset: "cifar10", metrics: ["nelbo"], hyper: { likelihood } };
    const { rows } = buildTable([exampleRecord({ spec, scores: { nelbo: 4.9 } })], EXAMPLE_NAMES);
    return rows[0].scores[0].paper;
  };
  assert.deepEqual(paperOf("discretized_logistic"), { mean: 4.773, std: 0.003 });
  assert.equal(paperOf("gaussian"), null);
});
