import type { ToyReport } from "../harness/core/toy_report.ts";
import { blockHtml } from "./page/blocks.ts";
import { escapeHtml } from "./page/html.ts";
import { pageHtml } from "./page/shell.ts";
import type { Figures } from "./toy_figures.ts";
import { failures, toyBlocks } from "./toy_table.ts";

/** The toy suite as one page: its verdict, the figures, then the tables of toy.md. */
export function toyHtml(report: ToyReport, figures: Figures): string {
  const [, about, ...blocks] = toyBlocks(report);
  const pictures = Object.entries(figures).map(([name, svg]) => figureHtml(name, svg));
  const body = [
    `<p><strong>${escapeHtml(verdictOf(report))}</strong></p>`,
    blockHtml(about),
    `<h2 id="figures">Figures</h2>`,
    `<div class="toy">`,
    ...pictures,
    "</div>",
    ...blocks.map((block) => blockHtml(block)),
  ];
  return pageHtml("Toy posteriors", { body: body.join("\n") });
}

/** How many gates passed, and which failed. */
function verdictOf(report: ToyReport): string {
  const { runs, chains, moves, gap } = report;
  const rows = [...[...runs, ...chains].flatMap(({ rows }) => rows), ...moves, ...gap.rows];
  const gates = rows.filter(({ verdict }) => verdict !== "shown").length;
  const failed = failures(report);
  if (failed.length === 0) return `All ${gates} gates passed.`;
  const names = failed.map(({ experiment, sampler, metric }) =>
    `${sampler} on ${experiment} (${metric})`
  );
  return `${failed.length} of ${gates} gates failed: ${names.join(", ")}.`;
}

/** A figure as a picture, which keeps its own style, white paper and names of clips. */
function figureHtml(name: string, svg: string): string {
  const title = /<title>([^<]*)<\/title>/.exec(svg)?.[1] ?? name;
  const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  const size = width === undefined ? "" : ` width="${width}" height="${height}"`;
  const url = `data:image/svg+xml;base64,${new TextEncoder().encode(svg).toBase64()}`;
  return `<figure><img src="${url}"${size} alt="${title}"><figcaption>${title}</figcaption></figure>`;
}
