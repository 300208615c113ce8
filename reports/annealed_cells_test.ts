import assert from "node:assert/strict";
import { exampleLikelihood, exampleRecord, exampleTable } from "./example_records.ts";
import { toMarkdown } from "./markdown.ts";

const section = (markdown: string) =>
  /## Likelihood by annealing\n[^]*?(?=\n## )/.exec(markdown)?.[0] ?? "";

const seeds = (method: string) =>
  [0, 1].map((seed) => exampleRecord({ spec: { method, seed }, scores: { fd_fashion: 1 } }));

Deno.test("likelihood by annealing: mean over seeds, errors, gap", () => {
  const records = seeds("dlgm");
  const test = { mean: -1010, standardError: 0.3, imagesError: 20, largestError: 0.3 };
  const table = exampleTable(records, {
    likelihoods: [
      exampleLikelihood(records[0].id),
      exampleLikelihood(records[1].id, { test }),
      exampleLikelihood("ffffffffffff"), // of a run that is not in the table
    ],
  });
  const [cell, ...rest] = table.rows[0].annealed;
  assert.equal(rest.length, 0);
  assert.deepEqual([cell.bound.mean, cell.bound.n, cell.normaliser], [-1005, 2, null]);
  assert.ok(Math.abs(cell.chainsError - Math.sqrt((0.1 ** 2 + 0.3 ** 2) / 2)) < 1e-12);
  assert.ok(Math.abs(cell.gap.standardError - 0.1 / Math.SQRT2) < 1e-12);
  const text = section(toMarkdown(table));
  assert.match(text, /-1005\.0 ± 7\.1 \(n = 2\) +\| 1\.282 /);
  assert.match(text, /\| 32, 16, 1000 /);
  assert.doesNotMatch(text, /Learned priors|no guide|accepted/);
});

Deno.test("likelihood by annealing: log Z's upper estimate is taken off, its error added, and the caveat given", () => {
  const [record] = seeds("lebm");
  const normaliser = {
    lower: { mean: -4.2, standardError: 0.1 },
    upper: { mean: -4, standardError: 0.3 },
    chains: 64,
    temperatures: 3000,
    acceptance: 0.7,
  };
  const table = exampleTable([record], {
    likelihoods: [exampleLikelihood(record.id, { normaliser })],
  });
  const [cell] = table.rows[0].annealed;
  assert.equal(cell.bound.mean, -996);
  assert.ok(Math.abs(cell.chainsError - Math.hypot(0.1, 0.3)) < 1e-12);
  const text = section(toMarkdown(table));
  assert.match(text, /-4\.200 to -4\.000/);
  assert.match(text, /only if the long prior chains behind it have mixed/);
});

Deno.test("likelihood by annealing: settings stand apart, and chains that cannot be trusted are named", () => {
  const [record] = seeds("lae");
  const rough = exampleLikelihood(record.id, {
    test: { mean: -2000, standardError: 0.2, imagesError: 20, largestError: 0.9 },
    acceptance: 0.1,
  });
  const table = exampleTable([record], {
    likelihoods: [
      exampleLikelihood(record.id),
      { ...rough, settings: { ...rough.settings, temperatures: 50 } },
    ],
  });
  assert.deepEqual(table.rows[0].annealed.map(({ bound }) => bound.mean), [-1000, -2000]);
  const text = section(toMarkdown(table));
  assert.match(text, /one image has a standard error of 0\.9000, above 0\.5/);
  assert.match(text, /accepted at a rate of 0\.10/);
});

Deno.test("likelihood by annealing: no section without a result", () => {
  assert.equal(section(toMarkdown(exampleTable(seeds("lae")))), "");
});
