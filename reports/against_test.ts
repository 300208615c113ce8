import assert from "node:assert/strict";
import { againstPaper } from "./against_paper.ts";
import { againstRuns, pairRuns } from "./against_runs.ts";
import type { Block } from "./document/block.ts";
import { textOf } from "./document/block.ts";
import { examplePair, exampleRecord, exampleTable, PAPER_SPEC } from "./example_records.ts";
import type { RunRecord } from "../harness/core/records.ts";

/** The rows of the table whose caption begins with `caption`, as lines. */
function rowsOf(blocks: readonly Block[], caption: string): string[] {
  const table = blocks.find((block) => block.kind === "table" && block.caption.startsWith(caption));
  assert.ok(table?.kind === "table", `no table "${caption}"`);
  return table.rows.map((cells) => cells.map(textOf).join(" | "));
}

const against = (here: readonly RunRecord[], there: readonly RunRecord[]) =>
  againstRuns(here, { table: exampleTable(here), others: there, name: "before" });

Deno.test("pairRuns() prefers the run with the fewest other settings", () => {
  const here = exampleRecord({});
  const near = exampleRecord({ spec: { hyper: { width: 0.5 } } });
  const far = exampleRecord({ spec: { hyper: { width: 0.5, depth: 2 } } });
  const seed = exampleRecord({ spec: { seed: 9 } });
  const pairs = pairRuns([here], [far, near, seed]);
  assert.deepEqual(pairs.map(({ there, changed }) => [there.id, changed]), [
    [near.id, ["width 0.25 / 0.5"]],
  ]);
  assert.deepEqual(pairRuns([here], [far])[0].changed, ["width 0.25 / 0.5", "depth absent / 2"]);
});

Deno.test("againstRuns() compares scores at equal seeds, and times of like machines alone", () => {
  const runs = (add: number, cpu = "A CPU") =>
    [0, 1, 2].map((seed) =>
      exampleRecord({
        spec: { seed },
        provenance: { cpu },
        scores: { fd_fashion: 100 + 10 * seed + add },
        seconds: [9, 2 + add, 2 + add],
      })
    );
  const blocks = against(runs(2), runs(0));
  assert.deepEqual(rowsOf(blocks, "Mean differences"), [
    "LAE | Fashion-MNIST 4k | fd_fashion | 2.000 ± 0 (n = 3) | 2.000 to 2.000 | higher, weak",
  ]);
  assert.equal(
    rowsOf(blocks, "fd_fashion, run by run")[1],
    "LAE | Fashion-MNIST 4k | 1 | 112.0 | 110.0 | 2.000 | –",
  );
  assert.equal(
    rowsOf(blocks, "Seconds")[0],
    "LAE | Fashion-MNIST 4k | 0 | 4.000 | 2.000 | 2.00 | –",
  );
  const elsewhere = against(runs(2), runs(0, "B CPU"));
  assert.match(rowsOf(elsewhere, "Seconds")[0], /\| not comparable: cpu A CPU \/ B CPU \|/);
});

Deno.test("againstRuns() compares no scores that were measured in other ways, and lists what has no partner", () => {
  const here = [
    exampleRecord({ scores: { fd_fashion: 1 } }),
    exampleRecord({ spec: { seed: 1 }, scores: { fd_fashion: 1 } }),
    exampleRecord({ spec: { seed: 2 }, end: { status: "failed", error: "x" } }),
  ];
  const there = [
    exampleRecord({ spec: { sampleCount: 500 }, scores: { fd_fashion: 2 } }),
    exampleRecord({ spec: { method: "lebm" }, scores: { fd_fashion: 2 } }),
    exampleRecord({ spec: { seed: 2 }, scores: { fd_fashion: 2 } }),
  ];
  const blocks = against(here, there);
  assert.match(
    rowsOf(blocks, "fd_fashion")[0],
    /\| not comparable: sampleCount 1000 \/ 500 \| –$/,
  );
  assert.ok(!blocks.some((block) => block.kind === "table" && block.caption.startsWith("Mean")));
  const list = blocks.find(({ kind }) => kind === "list");
  assert.deepEqual(list?.kind === "list" && list.items, [
    "Only here: lae fashion_4k seed 1",
    "Only in before: lebm fashion_4k seed 0",
    "Without scores on both sides: lae fashion_4k seed 2 (failed here, completed there)",
  ]);
});

Deno.test("againstPaper() has each seed and the mean beside Table 1", () => {
  const table = exampleTable(examplePair(PAPER_SPEC, { mean: 95, std: 1.5 }));
  const rows = rowsOf(againstPaper(table), "Scores");
  // Table 1: 95.85 ± 1.06. (95 - 1.5 / sqrt(2) - 95.85) / 1.06 = -1.80; -0.85 / sqrt(1.5² + 1.06²) = -0.46.
  assert.match(rows[0], /^LAE \| CIFAR-10 \| FID \| 0 \| 93\.94 \| 95\.85 ± 1\.06 \| -1\.80 std/);
  assert.match(rows[2], /\| all \(n = 2\) \| 95\.0 ± 1\.5 .*\| −0\.46 combined std \| within$/);
  const none = againstPaper(exampleTable([exampleRecord({ scores: { fd_fashion: 1 } })]));
  assert.match(JSON.stringify(none), /No published number/);
});
