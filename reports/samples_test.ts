import assert from "node:assert/strict";
import type { Findings } from "../harness/core/types.ts";
import { assertHas, formsOf } from "./example_forms.ts";
import { exampleFindings, exampleRecord, exampleResults, exampleTable } from "./example_records.ts";
import { toHtml } from "./html.ts";
import { toMarkdown } from "./markdown.ts";
import { marksOf } from "./sample_marks.ts";

const METRICS = ["fd_fashion", "coverage_fashion", "kid_fashion"];

/** A run of `method` and `seed` whose samples are `samples`, with as many real images. */
function run(samples: Findings, { method = "lae", seed = 0, real = exampleFindings() } = {}) {
  const scores = Object.fromEntries(METRICS.map((name) => [name, samples.scores[name]]));
  return exampleRecord({
    spec: { method, seed, metrics: METRICS, sampleCount: samples.count },
    scores,
    families: { fashion: { samples, real } },
  });
}

Deno.test("marksOf() sees what is wrong with samples, on numbers measured on deliberate ones", () => {
  // The numbers of docs/scores.md, rounded.
  const cases: readonly [string, Parameters<typeof exampleFindings>[0], readonly string[]][] = [
    ["real images", {}, []],
    ["one class", { coverage: 0.15, recall: 0.45, precision: 0.9, entropy: 0 }, ["collapsed"]],
    ["copies", { coverage: 0.37, recall: 0, density: 0.91 }, ["collapsed"]],
    ["52 % of one class", { coverage: 0.85, entropy: 1.75 }, ["collapsed"]],
    ["a class missing", { coverage: 0.9, entropy: 2.2 }, []],
    ["typical images", { coverage: 0.77, recall: 0.33, density: 1.79, precision: 0.98 }, [
      "too alike",
    ]],
    ["blurred", { coverage: 0.05, recall: 0, precision: 0.16, density: 0.09 }, [
      "unlike real images",
    ]],
    ["blurred and of one class", { coverage: 0.01, recall: 0, precision: 0.16, entropy: 0.1 }, [
      "collapsed",
      "unlike real images",
    ]],
    ["off, in all classes", { coverage: 0.14, recall: 0.08, precision: 0.24, entropy: 2.2 }, []],
  ];
  for (const [name, change, marks] of cases) {
    const seen = marksOf("fashion", { samples: exampleFindings(change), real: exampleFindings() });
    assert.deepEqual(seen.map(({ mark }) => mark), marks, name);
  }
});

Deno.test("marksOf() says what was seen, beside real images and beside what is expected", () => {
  const samples = exampleFindings({
    coverage: 0.1,
    recall: 0.05,
    entropy: 0.9,
    classes: { trouser: 520, bag: 480 },
  });
  assert.deepEqual(marksOf("fashion", { samples, real: exampleFindings() }), [{
    mark: "collapsed",
    seen: "52 % trouser, class entropy 0.90 (real images 2.30), " +
      "coverage 0.10 (equal distributions 0.97), recall 0.05 (real images 0.84)",
  }]);
});

Deno.test("marksOf() is silent on scores that were not asked for", () => {
  const bare = { count: 9, scores: { fd_fashion: 900 }, standardErrors: {}, expected: {} };
  assert.deepEqual(marksOf("fashion", { samples: bare, real: bare }), []);
});

Deno.test("the table marks samples, and says of which seeds and what was seen", () => {
  const collapsed = exampleFindings({ fd: 90, coverage: 0.21, kid: 7 });
  const { json, rows, notes } = formsOf([
    run(exampleFindings({ fd: 10, kid: 1 }), { method: "lebm" }),
    run(collapsed, { seed: 0 }),
    run(exampleFindings({ fd: 20, kid: 2 }), { seed: 1 }),
  ]);
  assertHas(
    rows,
    "| Method | Description | Fashion-MNIST 4k: fd_fashion ↓ | coverage ↑ | KID ↓ | samples |",
  );
  assertHas(rows, "| LEBM | LD + EBM | 10.00 (n = 1) | 0.9700 | 1.000 | – |");
  assertHas(
    rows,
    "| LAE | LD + EBM + amortization | 55 ± 49 (n = 2) | 0.59 ± 0.54 | 4.5 ± 3.5 | collapsed (1 of 2) |",
  );
  assertHas(
    notes,
    "- LAE, Fashion-MNIST 4k, collapsed: seed 0: coverage 0.21 (equal distributions 0.97).",
  );
  assert.deepEqual(json.rows[1].samples[0].marks[0].seeds.map(({ seed }) => seed), [0]);
});

Deno.test("the table has a row of real images, once for each seed whatever the number of methods", () => {
  const real = [exampleFindings({ fd: 4, coverage: 0.96 }), exampleFindings({ fd: 6 })];
  const records = ["lebm", "lae"].flatMap((method) =>
    real.map((real, seed) => run(exampleFindings({ fd: 50 }), { method, seed, real }))
  );
  const { rows, json } = formsOf(records);
  assertHas(rows, "| Real images | 1000 images | 5.0 ± 1.4 (n = 2) | 0.9650 ± 0.0071 | 0 ± 0 |");
  assert.deepEqual(json.real.map(({ count, scores }) => [count, scores.fd_fashion.n]), [[1000, 2]]);
  const text = toMarkdown(exampleTable(records));
  assert.match(text, /Equal distributions have on average: coverage 0\.9690 for 1000 images\./);
  assert.match(text, /No samples are marked as collapsed/);
});

Deno.test("class accuracy has a column only where a model samples classes, and a dash for others", () => {
  const unconditional = run(exampleFindings({ fd: 10 }), { method: "lebm" });
  assert.ok(!toMarkdown(exampleTable([unconditional])).includes("class accuracy"));
  const samples = exampleFindings({ fd: 20, accuracy: 0.5 });
  const own = run(samples, { real: exampleFindings({ accuracy: 0.99 }) });
  assert.equal(own.status, "completed");
  const conditional = {
    ...own,
    spec: { ...own.spec, metrics: [...METRICS, "accuracy_fashion"] },
    scores: { ...own.status === "completed" && own.scores, accuracy_fashion: 0.5 },
  } as typeof own;
  const { rows } = formsOf([unconditional, conditional]);
  assertHas(
    rows,
    "| Method | Description | Fashion-MNIST 4k: fd_fashion ↓ | coverage ↑ | class accuracy ↑ | KID ↓ |",
  );
  assertHas(rows, "| LEBM | LD + EBM | 10.00 (n = 1) | 0.9700 | – | 0 |");
  assertHas(rows, "| LAE | LD + EBM + amortization | 20.00 (n = 1) | 0.9700 | 0.5000 | 0 |");
  assertHas(rows, "| Real images | 1000 images | 4.700 (n = 1) | 0.9700 | 0.9900 | 0 |");
});

Deno.test("real images of other numbers are rows apart", () => {
  const few = exampleFindings({ count: 500, fd: 7 });
  const { rows } = formsOf([
    run(exampleFindings({ fd: 50 })),
    run(exampleFindings({ fd: 50, count: 500 }), { method: "lebm", real: few }),
  ]);
  assertHas(rows, "| Real images | 1000 images | 4.700 (n = 1) | 0.9700 | 0 |");
  assertHas(rows, "| Real images | 500 images | 7.000 (n = 1) | 0.9700 | 0 |");
});

Deno.test("the largest standard error over images is told", () => {
  const record = (seed: number, error: number) =>
    run(exampleFindings({ standardErrors: { kid_fashion: error } }), { seed });
  const text = toMarkdown(exampleTable([record(0, 1.25), record(1, 3.5)]));
  assert.match(text, /Standard errors over the images of one seed, at most: KID 3\.5\./);
});

Deno.test("predicted classes are shares over all seeds, shaded in HTML", () => {
  const records = [
    run(exampleFindings({ classes: { trouser: 900, bag: 100 } }), { seed: 0 }),
    run(exampleFindings({ classes: { trouser: 700, bag: 300 } }), { seed: 1 }),
  ];
  const { rows, json } = formsOf(records);
  assertHas(rows, "| Fashion-MNIST 4k | trouser | bag |");
  assertHas(rows, "| LAE | 80 | 20 |");
  assertHas(rows, "| Real images (1000) | 50 | 50 |");
  assert.deepEqual(json.rows[0].samples[0].classes, { trouser: 0.8, bag: 0.2 });
  const html = toHtml(exampleResults(records));
  // The square roots of 0.2 and 0.8 of the way to the deepest shade, 70 %.
  assert.ok(html.includes('class="share" style="--depth: 31%"><span>20</span></td>'));
  assert.ok(html.includes('class="share" style="--depth: 63%"><span>80</span></td>'));
});

Deno.test("records from before families have neither marks nor real images nor classes", () => {
  const record = exampleRecord({ scores: { fd_fashion: 45.25 } });
  const { json, rows } = formsOf([record]);
  assert.deepEqual([json.real, json.rows[0].samples], [[], []]);
  assertHas(rows, "| LAE | LD + EBM + amortization | 45.25 (n = 1) |");
  assert.ok(!toMarkdown(exampleTable([record])).includes("Predicted classes"));
});
