/** Tables and figures of a small report. */
import assert from "node:assert/strict";
import type { ToyReport, ToyRow, ToyRun } from "../harness/core/toy_report.ts";
import { toyFigures } from "./toy_figures.ts";
import { toyHtml } from "./toy_page.ts";
import { failures, toyMarkdown } from "./toy_table.ts";

const ROW: ToyRow = {
  experiment: "bivariate",
  sampler: "ld",
  metric: "kl",
  value: 0.00234567,
  exact: 0.001,
  error: 0.0005,
  low: null,
  high: 0.004,
  verdict: "pass",
};

const RUN: ToyRun = {
  experiment: "bivariate",
  sampler: "ld",
  label: "LD <plain>",
  settings: {
    chains: 2,
    steps: 20,
    burnIn: 10,
    thin: 1,
    stepSize: 0.1,
    batchSize: 1,
    featureDim: 4,
  },
  rows: [ROW, {
    ...ROW,
    metric: "ess",
    value: 12345.6,
    exact: null,
    error: null,
    low: 200,
    high: null,
    verdict: "fail",
  }],
  posteriors: [{ kl: 0.002 }],
  note: null,
  seconds: 1,
  chainStepsPerSecond: 1,
  gradients: 20,
  gram: null,
  shown: [[[0.5, -0.5], [9, 9]]],
};

/** A scalar posterior, its density known. */
const SCALAR: ToyRun = {
  ...RUN,
  experiment: "scalar",
  shown: [[[1], [1.1], [0.9]]],
  rows: [{ ...ROW, experiment: "scalar", value: null, verdict: "shown" }],
  note: "diverged",
};

const target = { source: "section 6.1", deviations: ["it is repaired"] };
const REPORT: ToyReport = {
  schema: 1,
  seed: 7,
  device: "cpu",
  seconds: 12.3,
  targets: [
    { ...target, name: "bivariate", label: "Bivariate" },
    { ...target, name: "scalar", label: "Scalar", deviations: [] },
  ],
  metrics: [{ name: "kl", label: "KL (nats)" }, { name: "ess", label: "effective size" }],
  runs: [RUN, SCALAR],
  gap: {
    rows: [{ ...ROW, sampler: "ald, d = 2", metric: "leverage_law" }],
    points: [{
      width: 2,
      chain: 0,
      point: 0,
      leverage: 0.5,
      varianceRatio: 0.52,
      effectiveSize: 100,
    }],
  },
  chains: [{
    name: "lebm_prior",
    label: "lebm, prior",
    rule: "langevin",
    hyper: { priorSteps: 60 },
    rows: [{ ...ROW, sampler: "lebm_prior", metric: "drift", value: 1.5, verdict: "fail" }],
  }],
  moves: [{ ...ROW, sampler: "ld_moves", metric: "noise", value: 1.01 }],
  convergence: [
    {
      sampler: "ld",
      label: "LD",
      stepSize: 1e-3,
      t90: 110,
      gradients: 110,
      trace: [0, 1],
      stride: 1,
      mean: 1,
      std: 0.1,
    },
    {
      sampler: "ald",
      label: "ALD",
      stepSize: 1e-3,
      t90: null,
      gradients: null,
      trace: [0, 1],
      stride: 1,
      mean: 1,
      std: 0.1,
    },
  ],
  bias: [0.2, 0.4].map((stepSize) => ({
    sampler: "ld",
    label: "LD",
    stepSize,
    bias: stepSize / 2,
    error: 0.001,
    theory: stepSize / 2,
    gradientsPerStep: 1,
  })),
  slopes: [
    { sampler: "ld", label: "LD", measured: 1.01, error: 0.02, theory: 1, order: 1, points: 2 },
  ],
  densities: [{
    experiment: "bivariate",
    posterior: 0,
    extent: 4,
    cells: 4,
    values: [0, 0, 0, 0, 0, 1, 0.5, 0, 0, 0.5, 0.2, 0, 0, 0, 0, 0],
  }],
  normals: [{ experiment: "scalar", posterior: 0, mean: 1, std: 0.1 }],
};

Deno.test("toyMarkdown() has each row with value, exact score, bound and verdict", () => {
  const text = toyMarkdown(REPORT).replaceAll(/ +/g, " ");
  for (
    const line of [
      "Seed 7, cpu, 12 s",
      "- Deviation: it is repaired.",
      "| LD &lt;plain> | KL (nats) | 0.00235 | 0.001 | ≤ 0.004 | pass |",
      "| LD &lt;plain> | effective size | 12346 | – | ≥ 200 | fail |",
      "| LD &lt;plain> | KL (nats) | not finite | 0.001 | ≤ 0.004 | shown |",
      "- LD &lt;plain>: diverged.",
      "| ald, d = 2 | 0.00235 | 0.001 | ≤ 0.004 | pass |",
      "| lebm, prior | langevin | priorSteps 60 | drift | 1.5 | 0.001 | ≤ 0.004 | fail |",
      "| ld_moves | noise | 1.01 | 0.001 | ≤ 0.004 | pass |",
      "| LD | 0.001 | 110 | 110 |",
      "| ALD | 0.001 | not reached | – |",
      "| LD | 1 | 0.1000 ± 0.0010 (0.1000) | 0.2000 ± 0.0010 (0.2000) | 1.01 ± 0.02 (1.00) | 1 |",
    ]
  ) assert.ok(text.includes(line), `${line}\n${text}`);
});

Deno.test("toyMarkdown() tells how features move the latents", () => {
  assert.ok(!toyMarkdown(REPORT).includes("Gram matrix"));
  const gram = {
    least: 0.074,
    median: 0.47,
    largest: 3.3,
    rank: 3,
    stability: 0.0102,
    slowest: Infinity,
  };
  const [{ name, label }] = REPORT.targets;
  const text = toyMarkdown({ ...REPORT, runs: [{ ...RUN, experiment: name, gram }] });
  const row = [label, "LD &lt;plain>", "0.1", "0.074", "0.47", "3.3", "3", "0.0102", "never"];
  assert.match(text, new RegExp(row.map((cell) => `\\| ${cell} +`).join("")));
});

Deno.test("toyMarkdown() has no section of what did not run", () => {
  const text = toyMarkdown({
    ...REPORT,
    gap: { rows: [], points: [] },
    convergence: [],
    bias: [],
    slopes: [],
  });
  for (const head of ["gap", "Way to", "Bias"]) assert.ok(!text.includes(head), head);
});

Deno.test("failures() are those of runs, of the methods' chains and of the sweep", () => {
  const bad = { ...ROW, verdict: "fail" } as const;
  const gap = { ...REPORT.gap, rows: [bad] };
  assert.deepEqual(failures({ ...REPORT, gap }).map(({ metric }) => metric), [
    "ess",
    "drift",
    "kl",
  ]);
});

Deno.test("toyFigures() draws every target with every sampler, and what the paper shows", () => {
  const figures = toyFigures(REPORT);
  assert.deepEqual(Object.keys(figures).toSorted(), [
    "bias",
    "fig2a",
    "fig3",
    "fig5",
    "samplers_bivariate",
    "samplers_scalar",
  ]);
  for (const [name, svg] of Object.entries(figures)) {
    assert.match(svg, /^<svg xmlns[^]*<\/svg>\n$/, name);
    assert.ok(!/NaN|undefined/.test(svg), `${name} has a number that is none`);
  }
  assert.ok(figures.samplers_bivariate.includes("LD &lt;plain>"));
  const dots = (svg: string) => svg.match(/<circle/g)?.length ?? 0;
  // The draw at (9, 9) is outside of the square.
  assert.equal(dots(figures.samplers_bivariate), 1);
  assert.equal(dots(figures.fig5), 2);
  assert.equal(dots(figures.bias), 2);
  // Fig. 3 is of LD and SGALD.
  assert.doesNotMatch(figures.fig3, /\bALD\b/);
});

Deno.test("toyFigures() leaves out figures of nothing", () => {
  const empty = { ...REPORT, convergence: [], bias: [], gap: { rows: [], points: [] } };
  const names = Object.keys(toyFigures({ ...empty, runs: [] }));
  assert.deepEqual(names, []);
});

Deno.test("toyHtml() says which gates failed, and has the table and every figure with its words", () => {
  const figures = toyFigures(REPORT);
  const html = toyHtml(REPORT, figures);
  assert.ok(html.includes("2 of 5 gates failed: ld on bivariate (ess), lebm_prior on bivariate"));
  const pictures = [
    ...html.matchAll(/<img src="data:image\/svg\+xml;base64,[^"]+"[^>]* alt="([^"]+)">/g),
  ];
  assert.equal(pictures.length, Object.keys(figures).length);
  assert.ok(html.includes("LD &lt;plain&gt;") && !html.includes("LD <plain>"));
  assert.equal(html.match(/<table /g)?.length, toyMarkdown(REPORT).match(/^\| ---/gm)?.length);
});
