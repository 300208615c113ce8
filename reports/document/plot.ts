/**
 * Observable Plot without a browser.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** Okabe and Ito's colours, told apart by all. */
export const COLOURS: readonly string[] = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#e69f00",
  "#56b4e9",
  "#555555",
];

/** A plot as SVG; its style sheet is left out, since a page has many plots. */
export function plotSvg(options: Plot.PlotOptions): string {
  const { document } = parseHTML("<html><body></body></html>") as unknown as { document: object };
  const svg = Plot.plot({ ...options, document } as Plot.PlotOptions) as unknown as SvgNode;
  for (const style of svg.querySelectorAll("style")) style.remove();
  return svg.outerHTML;
}

/** The used part of linkedom's elements: Deno's types have no DOM. */
interface SvgNode {
  readonly outerHTML: string;
  querySelectorAll(selector: string): Iterable<{ remove(): void }>;
}
