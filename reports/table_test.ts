import assert from "node:assert/strict";
import { exampleRecord, exampleTable } from "./example_records.ts";

Deno.test("buildResults() has rows and columns in the order of the tables, not of the records", () => {
  const { rows, datasets } = exampleTable([
    exampleRecord({ spec: { method: "lae", dataset: "cifar10" } }),
    exampleRecord({ spec: { method: "stranger" } }),
    exampleRecord({ spec: { method: "dlgm" } }),
  ]);
  assert.deepEqual(rows.map(({ label }) => label), ["DLGM", "LAE", "stranger"]);
  assert.deepEqual(datasets.map(({ name }) => name), ["fashion_4k", "cifar10"]);
});

Deno.test("buildResults() gives mean, sample deviation and n over seeds, and the untrained mean", () => {
  const { rows } = exampleTable(
    [3, 1, 2].map((value, seed) =>
      exampleRecord({
        spec: { seed },
        scores: { fd_fashion: value },
        untrained: { fd_fashion: 100 + value },
      })
    ),
  );
  const [cell] = rows[0].scores;
  assert.deepEqual([cell.mean, cell.std, cell.n, cell.untrained], [2, 1, 3, {
    mean: 102,
    std: 1,
    n: 3,
  }]);
  assert.deepEqual(cell.values.map(({ value }) => value), [3, 1, 2]);
});

Deno.test("buildResults() shows lost seeds with the reason", () => {
  const { rows, runs } = exampleTable([
    exampleRecord({ spec: { seed: 0 }, scores: { fd_fashion: 5 } }),
    exampleRecord({ spec: { seed: 2 }, end: { status: "failed", error: "no memory" } }),
    exampleRecord({ spec: { seed: 1 }, end: { status: "diverged", epoch: 3, metric: "loss" } }),
    exampleRecord({
      spec: { seed: 3 },
      end: { status: "diverged", epoch: 0, metric: "energyData", limit: 5e6 },
    }),
  ]);
  const [cell] = rows[0].scores;
  assert.deepEqual([cell.mean, cell.std, cell.n], [5, null, 1]);
  assert.deepEqual(cell.lost, [
    { seed: 1, why: "diverged in epoch 4: loss was not finite" },
    { seed: 2, why: "failed: no memory" },
    { seed: 3, why: "diverged in epoch 1: energyData was beyond its limit of 5000000" },
  ]);
  assert.deepEqual(runs, { completed: 1, diverged: 2, failed: 1, interrupted: 0 });
});

Deno.test("buildResults() never averages over different settings: another row says what differs", () => {
  const { rows } = exampleTable([
    exampleRecord({ spec: { seed: 0 }, scores: { fd_fashion: 1 } }),
    exampleRecord({
      spec: { seed: 0, epochs: 50, hyper: { width: 1 } },
      scores: { fd_fashion: 7 },
    }),
    exampleRecord({ spec: { seed: 1 }, scores: { fd_fashion: 3 } }),
  ]);
  assert.deepEqual(rows.map(({ variant }) => variant), [
    "epochs = 4; width = 0.25",
    "epochs = 50; width = 1",
  ]);
  assert.deepEqual(rows.map(({ key }) => key), [
    "lae (epochs = 4; width = 0.25)",
    "lae (epochs = 50; width = 1)",
  ]);
  assert.deepEqual(rows.map(({ scores }) => scores[0].mean), [2, 7]);
});

Deno.test("buildResults() keeps one row for a method whose settings differ by data set only", () => {
  const { rows } = exampleTable([
    exampleRecord({ spec: { hyper: { latentDim: 64 } } }),
    exampleRecord({ spec: { dataset: "cifar10", hyper: { latentDim: 128 } } }),
  ]);
  assert.equal(rows.length, 1);
});

Deno.test("buildResults() takes times from all epochs but the warm-ups", () => {
  const { rows } = exampleTable([
    exampleRecord({ spec: { seed: 0 }, seconds: [90, 2, 3] }),
    exampleRecord({ spec: { seed: 1 }, seconds: [90, 5, 6] }),
  ]);
  const [{ median, min, max, n }] = rows[0].times;
  assert.deepEqual({ median, min, max, n }, { median: 4, min: 2, max: 6, n: 4 });
});

Deno.test("buildResults() sets runs apart that lack a hyperparameter which others of their method have", () => {
  const older = { spec: { hyper: { width: 0.25 } }, scores: { fd_fashion: 1 } };
  const newer = { spec: { hyper: { width: 0.25, alpha: 0.99 } }, scores: { fd_fashion: 3 } };
  const { rows } = exampleTable([exampleRecord(older), exampleRecord(newer)]);
  assert.deepEqual(rows.map(({ variant, scores: [{ mean, n }] }) => [variant, mean, n]), [
    ["alpha = not recorded", 1, 1],
    ["alpha = 0.99", 3, 1],
  ]);
});
