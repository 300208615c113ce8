import type { RunRecord } from "../harness/core/records.ts";
import type { Block } from "./document/block.ts";
import { layOut } from "./layout.ts";
import { blockHtml } from "./page/blocks.ts";
import type { Download, Pictures } from "./page/content.ts";
import { escapeHtml, slug } from "./page/html.ts";
import { SCRIPT } from "./page/script.ts";
import { STYLE } from "./page/style.ts";
import { calibrationFigure } from "./sections/calibration_figure.ts";
import { chainCurves } from "./sections/chain_curves.ts";
import { learningCurves } from "./sections/learning_curves.ts";
import { pairedSection } from "./sections/paired.ts";
import { pictureSections } from "./sections/pictures.ts";
import { scoreFigure } from "./sections/score_figure.ts";
import { timeFigures } from "./sections/time_figures.ts";
import type { Results } from "./table.ts";

/** Content of the page besides the results. */
export interface PageContent {
  readonly pictures?: Pictures;
  readonly downloads?: readonly Download[];
  /** Comparisons with other results, below those of table.md. */
  readonly against?: readonly Block[];
}

/**
 * The report as one HTML page: the tables of table.md, figures, and pictures within the page. It loads nothing; its script
 * sorts tables and is not needed to read them.
 */
export function toHtml(
  results: Results,
  { pictures = {}, downloads = [], against = [] }: PageContent = {},
): string {
  const { table, rows } = results;
  const sections = sectionsOf(layOut(table));
  const [first, ...others] = sections;
  const [title] = first;
  const name = title?.kind === "title" ? title.text : "Results";
  const records: readonly RunRecord[] = rows.flatMap(({ records }) => records);
  const figures: Readonly<Record<string, () => string[]>> = {
    "Seconds per epoch": () => timeFigures(results),
    "Calibration of inference": () => calibrationFigure(table),
    "Chains": () => chainCurves(results),
  };
  const body = [
    ...first.slice(1).map((block) => blockHtml(block)),
    ...scoreFigure(table),
    ...pictureSections(results, { pictures, records }),
    ...learningCurves(results),
    ...pairedSection(table),
    ...others.flatMap((section) => [
      ...section.map((block) => blockHtml(block)),
      ...figures[headingOf(section)]?.() ?? [],
    ]),
    ...against.map((block) => blockHtml(block, { mirror: false })),
  ].join("\n");
  return [
    "<!doctype html>",
    `<html lang="en">`,
    "<head>",
    `<meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<title>${escapeHtml(name)}</title>`,
    `<style>${STYLE}</style>`,
    "</head>",
    "<body>",
    `<header><h1>${escapeHtml(name)}</h1>${contents(body)}</header>`,
    `<main>\n${body}\n</main>`,
    downloadList(downloads),
    `<script>${SCRIPT}</script>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

/** The blocks from each heading to the next; the first ones have none. */
function sectionsOf(blocks: readonly Block[]): Block[][] {
  const sections: Block[][] = [[]];
  for (const block of blocks) {
    if (block.kind === "heading") sections.push([]);
    sections[sections.length - 1].push(block);
  }
  return sections;
}

function headingOf([first]: readonly Block[]): string {
  return first?.kind === "heading" ? first.text : "";
}

/** Links to the sections of `body`. */
function contents(body: string): string {
  const links = [...body.matchAll(/<h2 id="([^"]*)">(.*?)<\/h2>/g)]
    .map(([, id, text]) => `<li><a href="#${id}">${text}</a></li>`);
  return links.length === 0
    ? ""
    : `\n<nav aria-label="Sections"><ul>\n${links.join("\n")}\n</ul></nav>`;
}

function downloadList(downloads: readonly Download[]): string {
  if (downloads.length === 0) return "";
  const links = downloads.map(({ name, about, url }) =>
    `<li><a href="${url}" download="${escapeHtml(name)}">${escapeHtml(name)}</a> ${
      escapeHtml(about)
    }</li>`
  );
  const id = slug("Downloads");
  return `<footer id="${id}"><ul class="downloads">\n${links.join("\n")}\n</ul></footer>`;
}
