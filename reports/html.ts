import { type Block, nameOf } from "./document/block.ts";
import { layOut } from "./layout.ts";
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
    ...printSamples(table),
    "</html>",
    "",
  ].join("\n");
}

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0 }
th, td { border-bottom: 1px solid #ccc; padding: .3em .8em; text-align: left }
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
      const row = (cells: readonly string[], tag: "th" | "td") =>
        `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;
      const body = block.rows.map((cells) => row(cells, "td")).join("\n");
      return `<table>\n${row(block.head, "th")}\n${body}\n</table>`;
    }
  }
}

/** The pictures of the runs with results, where `bench` left them: samples, and reconstructions of runs that have any. */
function printSamples({ rows }: ResultTable): string[] {
  const figures = rows.flatMap((row) => {
    const results = [...row.scores, ...row.reconstructions].flatMap(({ dataset, values }) =>
      values.map(({ seed, run }) => [run, `${nameOf(row)}, ${dataset}, seed ${seed}`] as const)
    );
    const reconstructed = new Set(
      row.reconstructions.flatMap(({ values }) => values.map(({ run }) => run)),
    );
    return [...new Map(results)].map(([run, caption]) => {
      const images = [
        `<img src="${run}/samples.png" alt="Samples">`,
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
