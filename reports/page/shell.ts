import type { Download } from "./content.ts";
import { escapeHtml, slug } from "./html.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

/** A whole page of HTML that loads nothing: title, links to the sections of `body`, and downloads below it. */
export function pageHtml(
  title: string,
  { body, downloads = [] }: { readonly body: string; readonly downloads?: readonly Download[] },
): string {
  return [
    "<!doctype html>",
    `<html lang="en">`,
    "<head>",
    `<meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<title>${escapeHtml(title)}</title>`,
    `<style>${STYLE}</style>`,
    "</head>",
    "<body>",
    `<header><h1>${escapeHtml(title)}</h1>${contents(body)}</header>`,
    `<main>\n${body}\n</main>`,
    downloadList(downloads),
    `<script>${SCRIPT}</script>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
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
