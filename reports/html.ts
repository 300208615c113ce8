import type { RunRecord } from "../harness/core/records.ts";
import type { Block } from "./document/block.ts";
import { layOut } from "./layout.ts";
import { blockHtml } from "./page/blocks.ts";
import type { Download, Pictures } from "./page/content.ts";
import { escapeHtml } from "./page/html.ts";
import { pageHtml } from "./page/shell.ts";
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
  /** The path of the toy suite's page from this one. */
  readonly toy?: string;
}

/**
 * The report as one HTML page: the tables of table.md, figures, and pictures within the page. It loads nothing; its script
 * sorts tables and is not needed to read them.
 */
export function toHtml(
  results: Results,
  { pictures = {}, downloads = [], against = [], toy }: PageContent = {},
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
  return pageHtml(name, { body: [...linkTo(toy), body].join("\n"), downloads });
}

/** A link to the page of the toy suite. */
function linkTo(toy: string | undefined): string[] {
  if (toy === undefined) return [];
  const text = "The toy posteriors: does a sampler sample the right distribution?";
  return [`<p><a href="${escapeHtml(toy)}">${text}</a></p>`];
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
