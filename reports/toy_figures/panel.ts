/**
 * Parts of the toy figures: panels drawn by Observable Plot without a browser, and grids of them as one SVG.
 *
 * @module
 */
import type * as Plot from "@observablehq/plot";
import { plotSvg } from "../document/plot.ts";

/** Side of a square panel, height of the line above a panel, in pixels. */
const PANEL = 210;
const TITLE = 20;
/** A plot, and the title above it; sizes in pixels. */
export interface Panel {
  readonly title: string;
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** One plot. */
export function panel(title: string, options: Plot.PlotOptions): Panel {
  return {
    title,
    svg: plotSvg({ ...options, style: { fontFamily: "sans-serif", fontSize: "9px" } }),
    width: options.width ?? PANEL,
    height: options.height ?? PANEL,
  };
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

/** Panels in rows, each under its title, as one picture named `title`; an empty text for none. */
export function grid(title: string, rows: readonly (readonly Panel[])[]): string {
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
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}">`,
    `<title>${escape(title)}</title>`,
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
