/**
 * Parts of the toy figures: panels drawn by Observable Plot without a browser, and grids of them as one SVG.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** Side of a square panel, height of the line above a panel, in pixels. */
const PANEL = 210;
const TITLE = 20;
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

/** A plot, and the title above it; sizes in pixels. */
export interface Panel {
  readonly title: string;
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** One plot. */
export function panel(title: string, options: Plot.PlotOptions): Panel {
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

/** The used part of linkedom's elements: Deno's types have no DOM. */
interface SvgNode {
  readonly outerHTML: string;
  querySelectorAll(selector: string): Iterable<{ remove(): void }>;
}

/** Options of a square panel about the origin, `extent` to each side. */
export function square(extent: number): Plot.PlotOptions {
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

/** Panels in rows, each under its title, as one picture; an empty text for none. */
export function grid(rows: readonly (readonly Panel[])[]): string {
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

/** `n` in subscript digits: x₁. */
export function subscript(n: number): string {
  return [...`${n}`].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]).join("");
}
