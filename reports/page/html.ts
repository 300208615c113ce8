/**
 * HTML as text: escaping, and the elements that the page is made of.
 *
 * @module
 */

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

/** A name for an id in the page: letters and digits of `text`, joined by hyphens. */
export function slug(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-").replaceAll(/^-|-$/g, "");
}

/** `text` escaped, with numbers and their deviations, powers of ten and numbers of seeds each kept on one line. */
export function numberHtml(text: string): string {
  return escapeHtml(text).replaceAll(
    /[-−–]?[\d.e+-]+ ± [\d.e+-]+|\d[\d.]*e[-+]\d+|\(n = [^)]*\)/g,
    (number) => `<span class="nb">${number}</span>`,
  );
}

/** Elements that open where a reader asks, and stand open on paper. */
export function detailsHtml(summary: string, content: readonly string[]): string {
  return [`<details><summary>${escapeHtml(summary)}</summary>`, ...content, "</details>"].join(
    "\n",
  );
}
