import type * as Plot from "@observablehq/plot";
import { plotSvg } from "../document/plot.ts";
import { escapeHtml } from "./html.ts";

/** Colours of the page's style sheet, which have a light and a dark form. */
export const INK = {
  /** Measured values. */
  own: "var(--own)",
  /** Published values. */
  published: "var(--published)",
  /** Limits, bands and grids. */
  faint: "var(--faint)",
} as const;

/** A plot and the words that stand for it. */
export interface Chart {
  /** Visible above the plot, and the title of the SVG. */
  readonly title: string;
  /** Describes the plot to those who do not see it. */
  readonly description: string;
  readonly plot: Plot.PlotOptions;
}

/** A figure with an SVG that has a title and a description, and takes its colours from the page. */
export function chartHtml({ title, description, plot }: Chart): string {
  const svg = plotSvg(plot);
  const start = svg.indexOf(">") + 1;
  const open = svg.slice(0, start).replace(/ class="[^"]*"/, "").replace(
    "<svg ",
    `<svg role="img" `,
  );
  const words = `<title>${escapeHtml(title)}</title><desc>${escapeHtml(description)}</desc>`;
  // Groups of marks have labels of Plot's, which name a mark's kind and nothing that the description lacks.
  const marks = svg.slice(start).replaceAll(/ aria-(?:label|description|hidden)="[^"]*"/g, "");
  const caption = `<figcaption>${escapeHtml(title)}</figcaption>`;
  return `<figure class="chart">${caption}${open}${words}${marks}</figure>`;
}

/** Charts side by side, as many as fit. */
export function chartsHtml(charts: readonly Chart[], size: "small" | "wide" = "small"): string {
  return `<div class="charts ${size}">\n${charts.map(chartHtml).join("\n")}\n</div>`;
}
