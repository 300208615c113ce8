/**
 * The paper's toy figures as SVG, written without a browser.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { ShownDensity, ShownNormal, ToyReport, ToyRun } from "../harness/toy/report.ts";

/** Figures by file name. */
export type Figures = Readonly<Record<string, string>>;

const PANEL = 210;
const TITLE = 20;
const DOTS = 600;
/** Of closed forms on the logarithmic axis. */
const LEAST_BIAS = 1e-4;
/** Half of the axis of histograms of scalar posteriors, standard deviations, and its bins. */
const NORMAL_REACH = 4;
const NORMAL_BINS = 32;
/** Ratio of the heights of two labels that do not overlap, on four and a half decades over 360 pixels. */
const LABEL_GAP = 1.45;
/** Okabe and Ito's colours, told apart by all. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555"];

/** All figures that the report has something for. */
export function toyFigures(report: ToyReport): Figures {
  const run = (experiment: string, sampler: string) =>
    report.runs.filter((r) => r.experiment === experiment && r.sampler === sampler);
  const runsOf = (experiment: string) => report.runs.filter((r) => r.experiment === experiment);
  const every = report.targets.map(({ name }) => {
    const normal = report.normals.find(({ experiment }) => experiment === name);
    const panels = runsOf(name).map((r) =>
      normal ? histogramPanel(r, normal) : samplePanel(report, r, { posterior: 0 })
    );
    return [`samplers_${name}`, grid(inRows(panels, 6))];
  });
  const figures: Figures = {
    fig2a: posteriorRows(report, {
      experiment: "bivariate",
      runs: [...run("bivariate", "ld"), ...run("bivariate", "ald")],
    }),
    fig2b: posteriorRows(report, {
      experiment: "eight_gaussians",
      runs: [...run("eight_gaussians", "ld"), ...run("eight_gaussians", "ald")],
    }),
    fig3: tracesFigure(report),
    fig4_6: posteriorRows(report, {
      experiment: "neural",
      runs: ["avi_diagonal", "avi_full", "ald"].flatMap((name) => run("neural", name)),
    }),
    fig5: gapFigure(report),
    bias: biasFigure(report),
    ...Object.fromEntries(every),
  };
  return Object.fromEntries(Object.entries(figures).filter(([, svg]) => svg !== ""));
}

/** One row for each posterior: its density, and the draws of each run over its contours. */
function posteriorRows(
  report: ToyReport,
  { experiment, runs }: { readonly experiment: string; readonly runs: readonly ToyRun[] },
): string {
  const densities = report.densities.filter((d) => d.experiment === experiment);
  if (runs.length === 0) return "";
  return grid(densities.map((density) => [
    densityPanel(
      density,
      densities.length > 1 ? `Truth, x${subscript(density.posterior + 1)}` : "Truth",
    ),
    ...runs.map((run) => samplePanel(report, run, { posterior: density.posterior })),
  ]));
}

interface Panel {
  readonly title: string;
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

function densityPanel(density: ShownDensity, title: string): Panel {
  return panel(title, {
    ...square(reachOf(density)),
    color: { type: "linear", scheme: "blues", domain: [0, 1] },
    marks: [
      contours(density, { fill: (v: number) => v, thresholds: 12 }),
      Plot.frame({ stroke: "#999" }),
    ],
  });
}

function samplePanel(
  { densities }: ToyReport,
  run: ToyRun,
  { posterior }: { readonly posterior: number },
): Panel {
  const density = densities.find((d) =>
    d.experiment === run.experiment && d.posterior === posterior
  );
  const extent = density ? reachOf(density) : 4;
  const dots = (run.shown[posterior] ?? []).slice(0, DOTS)
    .filter((z) => z.every((v) => Math.abs(v) < extent));
  return panel(titleOf(run), {
    ...square(extent),
    marks: [
      Plot.dot(dots, { x: "0", y: "1", r: 1.1, fill: COLOURS[1], fillOpacity: 0.55 }),
      ...(density
        ? [contours(density, { stroke: "#234", thresholds: [0.05, 0.25, 0.6, 0.9] })]
        : []),
      Plot.frame({ stroke: "#999" }),
    ],
  });
}

/** Draws of the first posterior, in posterior standard deviations about its mean, under its density. */
function histogramPanel(run: ToyRun, { mean, std, posterior }: ShownNormal): Panel {
  const draws = (run.shown[posterior] ?? []).map(([z]) => (z - mean) / std);
  const count = Math.max(1, draws.length);
  const width = 2 * NORMAL_REACH / NORMAL_BINS;
  const bins = Array.from({ length: NORMAL_BINS }, (_, i) => {
    const from = -NORMAL_REACH + i * width;
    const inside = draws.filter((z) => z >= from && z < from + width).length;
    return { x1: from, x2: from + width, density: inside / count / width };
  });
  const curve = Array.from({ length: 81 }, (_, i) => {
    const z = (2 * i / 80 - 1) * NORMAL_REACH;
    return [z, Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI)];
  });
  return panel(titleOf(run), {
    ...square(NORMAL_REACH),
    y: { domain: [0, 0.6], label: null, ticks: 4, tickSize: 3 },
    marks: [
      Plot.rectY(bins, { x1: "x1", x2: "x2", y: "density", fill: COLOURS[1], fillOpacity: 0.6 }),
      Plot.line(curve, { stroke: "#234", strokeWidth: 1 }),
      Plot.frame({ stroke: "#999" }),
    ],
  });
}

function titleOf({ label, shown }: ToyRun): string {
  return shown.length === 0 ? `${label}: diverged` : label;
}

/** The level lines, or filled levels, of a density. */
function contours(
  { values, cells, extent }: ShownDensity,
  { fill, stroke, thresholds }: {
    readonly fill?: (value: number) => number;
    readonly stroke?: string;
    readonly thresholds: number | number[];
  },
): Plot.Markish {
  // Rows of the picture run along x, those of the table along y.
  const picture = values.map((_, i) => values[(i % cells) * cells + Math.floor(i / cells)]);
  return Plot.contour(picture, {
    width: cells,
    height: cells,
    x1: -extent,
    y1: -extent,
    x2: extent,
    y2: extent,
    ...(fill ? { fill: Plot.identity } : { value: Plot.identity, stroke, strokeWidth: 0.7 }),
    thresholds: thresholds as number,
  } as Plot.ContourOptions);
}

/** Fig. 3 has two samplers, each at step sizes from large to small. */
function tracesFigure({ convergence }: ToyReport): string {
  const shown = ["ld", "sgald"].flatMap((name) =>
    convergence.filter(({ sampler }) => sampler === name)
      .toSorted((a, b) => b.stepSize - a.stepSize)
  );
  return grid(shown.map((c) => {
    const trace = c.trace.map((z, i) => ({ step: i * c.stride, z }));
    const { mean, std } = c;
    return [panel(`${c.label}, step size ${c.stepSize.toPrecision(2)}`, {
      width: 720,
      height: 190,
      marginLeft: 44,
      x: { label: "step" },
      y: { label: "z₁", nice: true },
      marks: [
        Plot.rectY([0], {
          y1: mean - std,
          y2: mean + std,
          x1: 0,
          x2: trace.length * c.stride,
          fill: "#0072b2",
          fillOpacity: 0.18,
        }),
        Plot.ruleY([mean], { stroke: COLOURS[0], strokeWidth: 1.4 }),
        Plot.lineY(trace, { x: "step", y: "z", stroke: COLOURS[1], strokeWidth: 0.7 }),
        ...(c.t90 === null
          ? []
          : [Plot.ruleX([c.t90], { stroke: "#555", strokeDasharray: "4 3" })]),
        Plot.frame({ stroke: "#999" }),
      ],
    })];
  }));
}

function gapFigure({ gap }: ToyReport): string {
  if (gap.points.length === 0) return "";
  const widths = [...new Set(gap.points.map(({ width }) => width))];
  const size = { width: 400, height: 360, marginLeft: 44, marginBottom: 40 };
  const law = panel("Leverage law: every point of every chain", {
    ...size,
    x: { label: "leverage of the point", domain: [0, 1.05] },
    y: { label: "variance / posterior variance", domain: [0, 1.3] },
    color: { type: "categorical", domain: widths, range: COLOURS },
    marks: [
      Plot.line([[0, 0], [1, 1]], { stroke: "#999", strokeDasharray: "4 3" }),
      Plot.dot(gap.points, { x: "leverage", y: "varianceRatio", stroke: "width", r: 2.5 }),
      Plot.text(widths.map((width, i) => ({ width, y: 1.22 - 0.07 * i })), {
        x: 0.04,
        y: "y",
        text: ({ width }: { readonly width: number }) => `d = ${width}`,
        fill: "width",
        textAnchor: "start",
        fontSize: 11,
      }),
      Plot.frame({ stroke: "#999" }),
    ],
  });
  const points = gap.points.map((p) => ({ ...p, label: `x${subscript(p.point + 1)}` }));
  const byWidth = panel("Widths of the last layer: means over chains", {
    ...size,
    x: {
      type: "log",
      base: 2,
      label: "features d, for n = 3 points",
      ticks: widths,
      tickFormat: "d",
    },
    y: { label: "variance / posterior variance", domain: [0, 1.3] },
    color: { type: "categorical", range: COLOURS },
    marks: [
      Plot.ruleY([1], { stroke: "#999", strokeDasharray: "4 3" }),
      Plot.dot(points, {
        x: "width",
        y: "varianceRatio",
        stroke: "label",
        r: 1.6,
        strokeOpacity: 0.5,
      }),
      Plot.lineY(
        points,
        Plot.groupX({ y: "mean" }, { x: "width", y: "varianceRatio", stroke: "label" }),
      ),
      Plot.text(["x₁", "x₂", "x₃"].map((label, i) => ({ label, y: 0.3 - 0.07 * i })), {
        x: 100,
        y: "y",
        text: "label",
        fill: "label",
        fontSize: 12,
      }),
      Plot.frame({ stroke: "#999" }),
    ],
  });
  return grid([[law, byWidth]]);
}

function biasFigure({ bias }: ToyReport): string {
  if (bias.length === 0) return "";
  const points = bias.map((p) => ({
    ...p,
    size: Math.abs(p.bias),
    low: Math.max(1e-5, Math.abs(p.bias) - p.error),
    high: Math.abs(p.bias) + p.error,
  })).filter(({ size, error }) => size > 3 * error); // as slopes do
  const theory = bias.map((p) => ({ ...p, size: Math.abs(p.theory ?? 0) }))
    .filter(({ size }) => size > LEAST_BIAS); // none, or where it changes its sign
  const labels = [...new Set(bias.map(({ label }) => label))];
  const steps = [...new Set(bias.map(({ stepSize }) => stepSize))];
  const last = Math.max(...steps);
  return grid([[panel("|variance − 1| on N(0, 1): measured (dots), closed form (lines)", {
    width: 620,
    height: 420,
    marginLeft: 56,
    marginRight: 190,
    marginBottom: 40,
    inset: 8,
    x: { type: "log", label: "step size", ticks: steps, tickFormat: "~g" },
    y: { type: "log", label: "|bias|", tickFormat: "~e" },
    color: { type: "categorical", domain: labels, range: COLOURS },
    marks: [
      Plot.line(theory, { x: "stepSize", y: "size", stroke: "label", z: "label" }),
      Plot.ruleX(points, { x: "stepSize", y1: "low", y2: "high", stroke: "label" }),
      Plot.dot(points, { x: "stepSize", y: "size", fill: "label", r: 3 }),
      Plot.text(
        spread(labels.flatMap((label) => {
          const own = [...theory, ...points].filter((p) => p.label === label)
            .toSorted((a, b) => b.stepSize - a.stepSize)[0];
          return own ? [{ label, size: own.size }] : [];
        })),
        {
          x: last,
          y: "at",
          text: "label",
          fill: "label",
          dx: 16,
          textAnchor: "start",
          fontSize: 10,
        },
      ),
      Plot.frame({ stroke: "#999" }),
    ],
  })]]);
}

/** Heights for labels on a logarithmic axis, at their sizes or so far above that they do not overlap. */
function spread<T extends { readonly size: number }>(
  labels: readonly T[],
): (T & { readonly at: number })[] {
  let last = 0;
  return labels.toSorted((a, b) => a.size - b.size).map((label) => {
    last = Math.max(label.size, last * LABEL_GAP);
    return { ...label, at: last };
  });
}

/** Half the side of the square about the origin where the density is seen, and some more. */
function reachOf({ values, cells, extent }: ShownDensity): number {
  let reach = 0;
  values.forEach((v, i) => {
    if (v < 0.01) return;
    for (const k of [Math.floor(i / cells), i % cells]) {
      reach = Math.max(reach, Math.abs((k + 0.5) / cells * 2 - 1) * extent);
    }
  });
  return Math.min(extent, Math.ceil(2 * reach + 0.5) / 2);
}

function square(extent: number): Plot.PlotOptions {
  return {
    width: PANEL,
    height: PANEL,
    clip: true,
    margin: 8,
    marginLeft: 26,
    marginBottom: 22,
    x: { domain: [-extent, extent], label: null, ticks: 4, tickSize: 3 },
    y: { domain: [-extent, extent], label: null, ticks: 4, tickSize: 3 },
  };
}

function panel(title: string, options: Plot.PlotOptions): Panel {
  const { document } = parseHTML("<html><body></body></html>") as unknown as { document: object };
  const node = Plot.plot({
    ...options,
    document,
    style: { fontFamily: "sans-serif", fontSize: "9px" },
  } as Plot.PlotOptions);
  const svg = node as unknown as SvgNode;
  // Named style sheets are for pages with many plots; here every panel stands by itself.
  for (const style of svg.querySelectorAll("style")) style.remove();
  return {
    title,
    svg: svg.outerHTML,
    width: options.width ?? PANEL,
    height: options.height ?? PANEL,
  };
}

/** What is used of linkedom's elements: Deno's types have no DOM. */
interface SvgNode {
  readonly outerHTML: string;
  querySelectorAll(selector: string): Iterable<{ remove(): void }>;
}

/** Panels in rows, each under its title, as one picture; an empty text for none. */
function grid(rows: readonly (readonly Panel[])[]): string {
  if (rows.every((row) => row.length === 0)) return "";
  const parts: string[] = [];
  let [top, width] = [0, 0];
  for (const row of rows) {
    let left = 0;
    for (const { title, svg, width: w } of row) {
      parts.push(
        `<text x="${left + w / 2}" y="${
          top + 14
        }" text-anchor="middle" font-family="sans-serif" font-size="12">${escape(title)}</text>`,
        svg.replace("<svg ", `<svg x="${left}" y="${top + TITLE}" `),
      );
      left += w;
    }
    width = Math.max(width, left);
    top += TITLE + Math.max(0, ...row.map(({ height }) => height));
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}">`,
    `<rect width="${width}" height="${top}" fill="white"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function subscript(n: number): string {
  return [...`${n}`].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]).join("");
}

/** `values` in rows of `length`. */
function inRows<T>(values: readonly T[], length: number): T[][] {
  return Array.from(
    { length: Math.ceil(values.length / length) },
    (_, i) => values.slice(i * length, (i + 1) * length),
  );
}
