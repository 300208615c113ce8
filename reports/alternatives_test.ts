/** Each way to sample a trained model is a row, and samples that beat decoded encodings are marked. */
import assert from "node:assert/strict";
import { assertHas, formsOf } from "./example_forms.ts";
import {
  type ExampleChange,
  exampleRecord,
  exampleResults,
  exampleTable,
  PAPER_SPEC,
} from "./example_records.ts";
import { toHtml } from "./html.ts";
import { toMarkdown } from "./markdown.ts";

/** A run of `lae` with samples of its own and with refined ones. */
const sampled = (
  seed: number,
  { own, refined, ...change }: { own: number; refined: number } & ExampleChange,
) =>
  exampleRecord({
    spec: { seed, ...change.spec },
    scores: { fd_fashion: own },
    untrained: { fd_fashion: 900 },
    alternatives: {
      prior_steps: {
        label: "LAE + prior steps",
        scores: { fd_fashion: refined },
        untrained: { fd_fashion: 950 },
      },
    },
    decodedScores: { fd_fashion: 200 },
    ...change,
  });

Deno.test("alternative samples have a row after their method's, with scores alone", () => {
  const records = [
    sampled(0, { own: 250, refined: 110, reconstructionError: 0.02 }),
    sampled(1, { own: 270, refined: 130, reconstructionError: 0.02 }),
    exampleRecord({ spec: { seed: 2 }, end: { status: "failed", error: "no memory" } }),
    exampleRecord({ spec: { method: "lebm" }, scores: { fd_fashion: 280 } }),
  ];
  const { json, rows, notes } = formsOf(records);
  assert.deepEqual(
    json.rows.map(({ key, method, alternative }) => [key, method, alternative]),
    [
      ["lebm", "lebm", null],
      ["lae", "lae", null],
      ["lae + prior_steps", "lae", "prior_steps"],
    ],
  );
  assertHas(rows, "| LAE | LD + EBM + amortization | 260 ± 14 (n = 2 of 3) | 200.0 | 900.0 |");
  assertHas(
    rows,
    "| LAE + prior steps | LD + EBM + amortization | 120 ± 14 (n = 2 of 3) † | 200.0 | 950.0 |",
  );
  assert.deepEqual(json.rows[2].times, []);
  // Times, reconstructions and lost seeds belong to the training, which is counted once.
  assert.equal(rows.filter((row) => row.startsWith("| LAE + prior steps |")).length, 1);
  assert.deepEqual(
    notes.filter((note) => note.includes("no memory")),
    ["- LAE, Fashion-MNIST 4k, fd_fashion, seed 2: failed: no memory"],
  );
  const files = ["samples.png", "samples_prior_steps.png"];
  const picture = { width: 320, height: 128, columns: 10, rows: 4 };
  const pictures = Object.fromEntries(files.map((file) => {
    const path = `${records[0].id}/${file}`;
    return [path, { ...picture, url: `data:${path}` }];
  }));
  const html = toHtml(exampleResults(records), { pictures });
  for (const file of files) {
    assert.ok(html.includes(`<img src="data:${records[0].id}/${file}"`), file);
  }
  assert.ok(!html.includes(`data:${records[3].id}/`));
});

Deno.test("only samples that score better than decoded encodings are marked, and the mark is explained", () => {
  const text = (own: number) => toMarkdown(exampleTable([sampled(0, { own, refined: 300 })]));
  assert.match(text(199), /199\.0 \(n = 1\) †.*\n[^]*†: better than the decoded encodings/);
  assert.doesNotMatch(text(201), /†/);
  assert.match(text(201), /Decoded encodings: the score of as many training images/);
});

Deno.test("a record from before its method had alternatives is in a row apart: its samples may have been such", () => {
  const { json } = formsOf([
    sampled(0, { own: 250, refined: 110 }),
    exampleRecord({ spec: { seed: 1 }, scores: { fd_fashion: 108 } }),
  ]);
  assert.deepEqual(json.rows.map(({ key, scores: [{ mean }] }) => [key, mean]), [
    ["lae (alternative samples = prior_steps)", 250],
    ["lae + prior_steps (alternative samples = prior_steps)", 110],
    ["lae (alternative samples = none)", 108],
  ]);
});

Deno.test("alternative samples that were not finite are lost with the reason, and stand beside no published number", () => {
  const record = (seed: number, error?: string) =>
    sampled(seed, {
      own: 90,
      refined: 80,
      spec: { ...PAPER_SPEC, seed },
      scores: { fid: 95 },
      alternatives: {
        prior_steps: { label: "x", scores: error ? {} : { fid: 80 }, untrained: {}, error },
      },
    });
  const { json } = formsOf([record(0), record(1, "samples became NaN")]);
  const [own, refined] = json.rows.map(({ scores }) => scores[0]);
  assert.equal(own.published?.printed, "95.85 ± 1.06"); // Table 1
  assert.equal(refined.published, null);
  assert.deepEqual([refined.n, refined.lost], [1, [
    { seed: 1, why: "failed: samples became NaN" },
  ]]);
});
