/** A report knows which runs are missing, or says that it does not. */
import assert from "node:assert/strict";
import type { RunRecord } from "../harness/core/records.ts";
import { assertHas, formsOf } from "./example_forms.ts";
import { exampleRecord } from "./example_records.ts";
import type { ListedRun } from "./table.ts";

const listOf = (records: readonly RunRecord[]): ListedRun[] =>
  records.map(({ id, spec }) => ({ id, spec }));

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
