import { type Block, type Cell, nameOf, textOf } from "./document/block.ts";
import { layOut } from "./layout.ts";
import { calibrationFigure } from "./sections/calibration_figure.ts";
import type { ResultTable } from "./document/result_table.ts";

/** The report as one HTML page without scripts; the pictures of each run are shown from its folder. */
export function toHtml(table: ResultTable): string {
  const blocks = layOut(table);
  const title = blocks.find(({ kind }) => kind === "title");
  const name = title?.kind === "title" ? title.text : "Results";
  return [
    "<!doctype html>",
    `<html lang="en">`,
    `<meta charset="utf-8">`,
    `<title>${escapeHtml(name)}</title>`,
    `<style>${STYLE}</style>`,
    ...blocks.map(printBlock),
    ...calibrationFigure(table),
    ...printSamples(table),
    "</html>",
    "",
  ].join("\n");
}

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 90em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0 }
th, td { border-bottom: 1px solid #ccc; padding: .3em .6em; text-align: left }
td { white-space: nowrap }
td:nth-child(2), td:last-child { white-space: normal; min-width: 6.5em }
p, ul { max-width: 60em }
td.share { text-align: right; min-width: 2.5em }
figure { display: inline-block; margin: .5em }
li { overflow-wrap: anywhere }
`;

function printBlock(block: Block): string {
  switch (block.kind) {
    case "title":
      return `<h1>${escapeHtml(block.text)}</h1>`;
    case "heading":
      return `<h2>${escapeHtml(block.text)}</h2>`;
    case "text":
      return `<p>${escapeHtml(block.text)}</p>`;
    case "list":
      return `<ul>${block.items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`;
    case "table": {
      const row = (cells: readonly Cell[], tag: "th" | "td") =>
        `<tr>${cells.map((cell) => printCell(cell, tag)).join("")}</tr>`;
      const body = block.rows.map((cells) => row(cells, "td")).join("\n");
      return `<table>\n${row(block.head, "th")}\n${body}\n</table>`;
    }
  }
}

/** The colour of a share of 1. */
const SHADE = [31, 95, 168] as const;

/**
 * A cell; shaded from white to blue where it has a share, so that a row of shares reads as a strip. The shade goes with the
 * square root of the share: a tenth is visible beside nothing, and a half beside a tenth.
 */
function printCell(cell: Cell, tag: "th" | "td"): string {
  const text = escapeHtml(textOf(cell));
  if (typeof cell === "string" || cell.shade === undefined) return `<${tag}>${text}</${tag}>`;
  const depth = Math.sqrt(Math.min(1, Math.max(0, cell.shade)));
  const paper = SHADE.map((level) => Math.round(255 - depth * (255 - level))).join(" ");
  const ink = depth > 0.6 ? "; color: #fff" : "";
  return `<${tag} class="share" style="background: rgb(${paper})${ink}">${text}</${tag}>`;
}

/** The pictures of the runs with results, where `bench` left them: samples, and reconstructions of runs that have any. */
function printSamples({ rows }: ResultTable): string[] {
  const figures = rows.flatMap((row) => {
    const results = [...row.scores, ...row.reconstructions].flatMap(({ dataset, values }) =>
      values.map(({ seed, run }) => [run, `${nameOf(row)}, ${dataset}, seed ${seed}`] as const)
    );
    const samples = row.alternative === null ? "samples.png" : `samples_${row.alternative}.png`;
    const reconstructed = new Set(
      row.reconstructions.flatMap(({ values }) => values.map(({ run }) => run)),
    );
    return [...new Map(results)].map(([run, caption]) => {
      const images = [
        `<img src="${run}/${samples}" alt="Samples">`,
        ...reconstructed.has(run)
          ? [`<img src="${run}/reconstructions.png" alt="Images and their reconstructions">`]
          : [],
      ];
      const text = escapeHtml(caption);
      return `<figure>${images.join(" ")}<figcaption>${text}</figcaption></figure>`;
    });
  });
  return figures.length === 0 ? [] : ["<h2>Samples and reconstructions</h2>", ...figures];
}

/** `text` escaped for use between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replaceAll(/[&<>"]/g, (letter) => entities[letter]);
}
