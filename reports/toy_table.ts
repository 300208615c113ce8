import type { ToyReport, ToyRow } from "../harness/core/toy_report.ts";
import type { Block } from "./document/block.ts";
import { blocksMarkdown } from "./markdown.ts";

/** The toy table as Markdown. */
export function toyMarkdown(report: ToyReport): string {
  return blocksMarkdown(toyBlocks(report));
}

/** The toy table: one section a target, and those of Figs. 3 and 5 and of the integrators. */
export function toyBlocks(report: ToyReport): Block[] {
  return [
    { kind: "title", text: "Toy posteriors" },
    {
      kind: "text",
      text: `Seed ${report.seed}, ${report.device}, ${
        report.seconds.toFixed(0)
      } s. An exact sampler draws independently from the truth as many times as the chains are worth (their effective sample size); bounds are what it scores, with the bias that theory gives the step, plus six standard deviations.`,
    },
    ...report.targets.flatMap((target) => targetSection(target, report)),
    ...chainsSection(report),
    ...movesSection(report),
    ...gapSection(report),
    ...gramSection(report),
    ...convergenceSection(report),
    ...biasSection(report),
  ];
}

function targetSection(
  { name, label, source, deviations }: ToyReport["targets"][number],
  { runs, metrics }: ToyReport,
): Block[] {
  const labels = new Map(metrics.map(({ name, label }) => [name, label]));
  const own = runs.filter((run) => run.experiment === name);
  const rows = own.flatMap((run) =>
    run.rows.map((row) => [run.label, labels.get(row.metric) ?? row.metric, ...cells(row)])
  );
  const notes = own.flatMap(({ label, note }) => note === null ? [] : [`${label}: ${note}.`]);
  return [
    { kind: "heading", text: label },
    { kind: "text", text: source },
    ...listOf(deviations.map((deviation) => `Deviation: ${deviation}.`)),
    tableOf(label, ["Sampler", "Metric", "Value", "Exact sampler", "Bound", "Verdict"], rows),
    ...notes.length > 0 ? [{ kind: "text", text: "Shown, not gated:" } as const] : [],
    ...listOf(notes),
  ];
}

/** A section with a heading, what it is about, and a table. */
function section(
  heading: string,
  text: string,
  { head, rows }: { readonly head: readonly string[]; readonly rows: readonly string[][] },
): Block[] {
  return [{ kind: "heading", text: heading }, { kind: "text", text }, tableOf(heading, head, rows)];
}

function tableOf(caption: string, head: readonly string[], rows: readonly string[][]): Block {
  return { kind: "table", caption, head, rows };
}

function listOf(items: readonly string[]): Block[] {
  return items.length === 0 ? [] : [{ kind: "list", items }];
}

/** Rows of the report that failed. */
export function failures({ runs, gap, chains, moves }: ToyReport): ToyRow[] {
  return [...[...runs, ...chains].flatMap(({ rows }) => rows), ...moves, ...gap.rows]
    .filter(({ verdict }) => verdict === "fail");
}

function chainsSection({ chains }: ToyReport): Block[] {
  if (chains.length === 0) return [];
  const rows = chains.flatMap(({ label, rule, hyper, rows }) =>
    rows.map((row) => [
      label,
      rule,
      Object.entries(hyper).map(([name, value]) => `${name} ${value}`).join(", "),
      row.metric,
      ...cells(row),
    ])
  );
  return section(
    "Chains of the methods",
    "The chains that each method runs by default, on Gaussian posteriors, where the distribution of the end is known for each start: drift is the slope of displacements over their expected values, noise the variance of the residuals over the expected one.",
    {
      head: ["Chain", "Rule", "Defaults", "Metric", "Value", "Exact sampler", "Bound", "Verdict"],
      rows,
    },
  );
}

function movesSection({ moves, targets }: ToyReport): Block[] {
  if (moves.length === 0) return [];
  const labels = new Map(targets.map(({ name, label }) => [name, label]));
  const rows = moves.map((row) => [
    labels.get(row.experiment) ?? row.experiment,
    row.sampler,
    row.metric,
    ...cells(row),
  ]);
  return section(
    "Single moves",
    "Drift and noise of short moves over those that the rule should have, by moves with the same normal draws and with their negatives; the same of long moves, where rules of several stages differ, shown.",
    { head: ["Target", "Moves", "Metric", "Value", "Exact sampler", "Bound", "Verdict"], rows },
  );
}

function gapSection({ gap }: ToyReport): Block[] {
  if (gap.rows.length === 0) return [];
  const rows = gap.rows.map((row) => [row.sampler, ...cells(row)]);
  return section(
    "Amortization gap",
    "Largest relative error of a variance: the variance ratio of a point should be its leverage h_ii times Euler's factor. LAE appendix E, Fig. 5.",
    { head: ["Sampler", "Error", "Exact sampler", "Bound", "Verdict"], rows },
  );
}

function gramSection({ runs, targets }: ToyReport): Block[] {
  const targetLabels = new Map(targets.map(({ name, label }) => [name, label]));
  const rows = runs.flatMap(({ experiment, label, gram, settings: { stepSize } }) =>
    gram === null ? [] : [[
      targetLabels.get(experiment) ?? experiment,
      label,
      number(stepSize),
      ...[gram.least, gram.median, gram.largest, gram.rank].map(number),
      ...[gram.stability, gram.slowest].map((v) =>
        v === null ? "–" : Number.isFinite(v) ? number(v) : "never"
      ),
    ]]
  );
  if (rows.length === 0) return [];
  const head = [
    "Target",
    "Sampler",
    "η",
    "λ_min",
    "median λ",
    "λ_max",
    "Rank",
    "η λ_max P",
    "Slowest",
  ];
  return section(
    "Gram matrix of the last layer",
    "Eigenvalues λ of K = G G', with which steps on the last layer move z (LAE Theorem 1), medians over chains. On Gaussian posteriors of precision P Euler's steps are stable for η λ_max P < 2, and the slowest direction forgets in 1 / (η λ_min P) steps; not so for pSGALD, whose steps a preconditioner scales.",
    { head, rows },
  );
}

function convergenceSection({ convergence }: ToyReport): Block[] {
  if (convergence.length === 0) return [];
  const rows = convergence.map(({ label, stepSize, t90, gradients }) => [
    label,
    number(stepSize),
    t90 === null ? "not reached" : `${t90}`,
    gradients === null ? "–" : number(gradients),
  ]);
  return section(
    "Way to the posterior",
    "First step at which means over 16 chains and the last 100 steps are within 0.5 sd of the truth for 90 % of the points, on the univariate target. LAE Fig. 3.",
    { head: ["Sampler", "Step size", "Steps", "Gradients of all points"], rows },
  );
}

function biasSection({ bias, slopes }: ToyReport): Block[] {
  if (slopes.length === 0) return [];
  const steps = [...new Set(bias.map(({ stepSize }) => stepSize))];
  const rows = slopes.map(({ sampler, label, measured, error, theory, order }) => {
    const own = bias.filter((point) => point.sampler === sampler);
    return [
      label,
      `${own[0]?.gradientsPerStep ?? "–"}`,
      ...own.map(({ bias, error, theory }) =>
        `${bias.toFixed(4)} ± ${error.toFixed(4)}${
          theory === null ? "" : ` (${theory.toFixed(4)})`
        }`
      ),
      measured === null || error === null
        ? "–"
        : `${measured.toFixed(2)} ± ${error.toFixed(2)}${
          theory === null ? "" : ` (${theory.toFixed(2)})`
        }`,
      `${order}`,
    ];
  });
  return section(
    "Bias of the integrators",
    "Stationary variance on N(0, 1) less 1 by step size, with its standard error and the closed form in brackets; the slope of its logarithm through the points beyond three standard errors, and that of the closed form through the same points; the order as steps shrink.",
    { head: ["Sampler", "Gradients a step", ...steps.map(String), "Slope", "Order"], rows },
  );
}

function cells({ value, exact, low, high, verdict }: ToyRow): string[] {
  const bound = [low === null ? "" : `≥ ${number(low)}`, high === null ? "" : `≤ ${number(high)}`];
  return [
    value === null ? "not finite" : number(value),
    exact === null ? "–" : number(exact),
    bound.filter((text) => text !== "").join(", ") || "–",
    verdict,
  ];
}

function number(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : Number(value.toPrecision(3)).toString();
}
