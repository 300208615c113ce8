import assert from "node:assert/strict";
import { EXAMPLE_NAMES, exampleRecord } from "./example_records.ts";
import { markdownTable, toMarkdown } from "./markdown.ts";
import type { ScoreCell } from "./document/result_table.ts";
import { formatScore } from "./sections/scores.ts";
import { buildTable } from "./table.ts";

const CELL: ScoreCell = {
  metric: "fid",
  dataset: "cifar10",
  mean: 95.847,
  std: 1.0612,
  n: 3,
  values: [],
  untrained: null,
  lost: [],
  basis: null,
  paper: null,
};

Deno.test("formatScore() rounds to the two leading digits of the deviation, and counts seeds", () => {
  assert.equal(formatScore(CELL), "95.8 ± 1.1 (n = 3)");
  assert.equal(formatScore({ ...CELL, std: 0.0123 }), "95.847 ± 0.012 (n = 3)");
  assert.equal(formatScore({ ...CELL, std: 23.4 }), "96 ± 23 (n = 3)");
  assert.equal(formatScore({ ...CELL, std: 0 }), "95.85 ± 0 (n = 3)");
  assert.equal(formatScore({ ...CELL, std: null, n: 1 }), "95.85 (n = 1)");
  const lost = [{ seed: 2, why: "failed" }];
  assert.equal(formatScore({ ...CELL, n: 2, lost }), "95.8 ± 1.1 (n = 2 of 3)");
  assert.equal(formatScore({ ...CELL, mean: null, n: 0, lost }), "– (n = 0 of 1)");
  assert.equal(formatScore({ ...CELL, mean: null, n: 0 }), "–");
});

Deno.test("markdownTable() escapes what would break a row", () => {
  assert.equal(
    markdownTable(["a", "b"], [["x | y", "two\nlines"]]),
    "| a      | b         |\n| ------ | --------- |\n| x \\| y | two lines |",
  );
});

Deno.test("toMarkdown() mirrors Table 1", () => {
  const text = toMarkdown(buildTable([
    ...[96, 94].map((fid, seed) =>
      exampleRecord({
        spec: { dataset: "cifar10", metrics: ["fid"], seed },
        scores: { fid },
        seconds: [9, 2, 4],
      })
    ),
    exampleRecord({
      spec: { method: "lebm", dataset: "cifar10", metrics: ["fid"] },
      end: { status: "diverged", epoch: 2, metric: "loss" },
      seconds: [9, 6],
    }),
  ], EXAMPLE_NAMES));
  // The paper's numbers: Table 1, and section 6.2 for the seconds.
  const rows = [
    "| Method | Description             | CIFAR-10: FID ↓      | paper        |",
    "| LEBM   | LD + EBM                | – (n = 0 of 1)       | 97.02 ± 0.36 |",
    "| LAE    | LD + EBM + amortization | 95.0 ± 1.4 (n = 2)   | 95.85 ± 1.06 |",
    "| LEBM       | 6 (6 to 6) | 84.29           |",
    "| LAE        | 3 (2 to 4) | 34.12           |",
    "| LEBM / LAE | 2.00       | 2.47            |",
    "| DLGM / LAE | –          | 1.78            |",
    "- LEBM, CIFAR-10, fid, seed 0: diverged in epoch 3: loss was not finite",
    "- runs: 2 completed, 1 diverged",
    "- commit: 0123456789abcdef0123456789abcdef01234567",
    "- settings of fid: mode tf, quantize bytes",
  ];
  const squeeze = (line: string) => line.replaceAll(/ +/g, " ");
  const lines = text.split("\n").map(squeeze);
  for (const row of rows) assert.ok(lines.includes(squeeze(row)), `${row}\nnot in\n${text}`);
});

Deno.test("toMarkdown() says why there are no times after one epoch", () => {
  const text = toMarkdown(buildTable([exampleRecord({ spec: {}, seconds: [9] })], EXAMPLE_NAMES));
  assert.match(
    text,
    /## Seconds per epoch\n\nNone: the first epoch of a process is a warm-up; .*--epochs 2/,
  );
});

Deno.test("toMarkdown() shows untrained scores only where there are any", () => {
  const scores = { fd_fashion: 5 };
  const text = (untrained: Record<string, number>) =>
    toMarkdown(buildTable([exampleRecord({ scores, untrained })], EXAMPLE_NAMES));
  assert.match(text({ fd_fashion: 321.5 }), /\| untrained \|\n.*\n.*\| 321\.5 +\|/);
  assert.doesNotMatch(text({}), /untrained \|/);
});

Deno.test("toMarkdown() has a table of its own for bounds on the likelihood, beside the poster's", () => {
  const basis = { draws: 100, images: 10_000 };
  const hyper = { likelihood: "discretized_logistic" };
  const text = toMarkdown(buildTable([
    ...[4.7, 4.8].map((nelbo, seed) =>
      exampleRecord({
        spec: { dataset: "cifar10", metrics: ["nelbo", "niwae_10"], seed, hyper },
        scores: { nelbo, niwae_10: 4.5 },
        bounds: {
          nelbo: { ...basis, importanceSamples: 1, standardError: 0.0031 + seed / 1000 },
          niwae_10: { ...basis, importanceSamples: 10, standardError: 0.003 },
        },
      })
    ),
    exampleRecord({
      spec: { method: "lebm", dataset: "cifar10", metrics: ["fid"] },
      scores: { fid: 90 },
    }),
  ], EXAMPLE_NAMES));
  const [samples, likelihood] = text.split("## Likelihood");
  assert.match(samples, /\| LEBM .* 90 \(n = 1\)/);
  assert.doesNotMatch(samples, /\| LAE /);
  const row = likelihood.split("\n").find((line) => /^\| LAE +\| LD/.test(line));
  // 4.773 and 4.636: the poster.
  assert.match(row ?? "", /4\.750 ± 0\.071 \(n = 2\) +\| 4\.773 ± 0\.003 +\| 4\.5 ± 0 \(n = 2\)/);
  assert.doesNotMatch(likelihood, /\| LEBM +\| LD \+ EBM +\|/);
  assert.match(likelihood, /10000 test images, 100 draws of z each; .* up to 0\.0041/);
  assert.match(likelihood, /\| LAE .*\| 4\.773 ± 0\.003 +\| 4\.636 ± 0\.003 +\|/);
});

Deno.test("toMarkdown() shows how freely amortized chains moved, mean over seeds, where it was measured", () => {
  const diagnostics = (rank: number, varianceRatio: number | null) => ({
    features: 512,
    rows: 4000,
    rank,
    leverage: { mean: rank / 4000, min: 0.01, max: 0.9 },
    varianceRatio,
    moves: 100,
  });
  const text = toMarkdown(buildTable([
    exampleRecord({ spec: { seed: 0 }, diagnostics: diagnostics(500, 0.02) }),
    exampleRecord({ spec: { seed: 1 }, diagnostics: diagnostics(510, 0.04) }),
    exampleRecord({ spec: { seed: 2 }, diagnostics: diagnostics(505, null) }),
    exampleRecord({ spec: { method: "lebm" } }),
  ], EXAMPLE_NAMES));
  const rows = text.split("## Diagnostics")[1].split("\n").filter((line) => line.startsWith("| L"));
  assert.deepEqual(rows.map((row) => row.replaceAll(/ +/g, " ")), [
    "| LAE | Fashion-MNIST 4k | 505 of 512 | 4000 | 0.1263 (0.01 to 0.9) | 0.03 (100 moves) |",
  ]);
  const without = toMarkdown(buildTable([exampleRecord({})], EXAMPLE_NAMES));
  assert.doesNotMatch(without, /Diagnostics/);
});

Deno.test("toMarkdown() shows the errors of reconstructions where they were measured", () => {
  const text = toMarkdown(buildTable([
    exampleRecord({ spec: { seed: 0 }, reconstructionError: 0.021 }),
    exampleRecord({ spec: { seed: 1 }, reconstructionError: 0.025 }),
    exampleRecord({ spec: { method: "lebm" } }),
  ], EXAMPLE_NAMES));
  const rows = text.split("## Reconstructions")[1].split("\n").filter((l) => l.startsWith("| L"));
  assert.deepEqual(rows.map((row) => row.replaceAll(/ +/g, " ")), [
    "| LAE | 0.0230 ± 0.0028 (n = 2) |",
  ]);
});
