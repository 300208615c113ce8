import { type Block, type Cell, type RichCell, textOf } from "../document/block.ts";
import { escapeHtml, numberHtml, slug } from "./html.ts";

/** A block as HTML. `mirror` marks what table.md has as well. */
export function blockHtml(block: Block, { mirror = true } = {}): string {
  const marked = mirror ? " data-mirror" : "";
  switch (block.kind) {
    case "title":
      return `<h1>${escapeHtml(block.text)}</h1>`;
    case "heading":
      return `<h2 id="${slug(block.text)}">${escapeHtml(block.text)}</h2>`;
    case "text":
      return `<p>${escapeHtml(block.text)}</p>`;
    case "list": {
      const items = block.items.map((item) => `<li>${escapeHtml(item)}</li>`).join("\n");
      return `<ul${marked}>\n${items}\n</ul>`;
    }
    case "table":
      return tableHtml(block, marked);
  }
}

/** Tables of more columns than this become a card for each row on a phone, and of more than `WIDER` on a tablet too. */
const WIDE = 4;
const WIDER = 8;

function tableHtml(
  { caption, head, rows }: Extract<Block, { readonly kind: "table" }>,
  marked: string,
): string {
  const width = head.length > WIDER ? "cards wider" : head.length > WIDE ? "cards" : "plain";
  // Cards take the display of tables away, and with it the roles that browsers give them.
  const columns = head.map((text) => `<th scope="col" role="columnheader">${headHtml(text)}</th>`);
  const body = rows.map((cells) =>
    `<tr role="row">${
      cells.map((cell, i) => cellHtml(cell, { head: head[i], first: i === 0 })).join("")
    }</tr>`
  );
  return [
    `<div class="scroll"><table class="${width} sortable" role="table"${marked}>`,
    `<caption>${escapeHtml(caption)}</caption>`,
    `<thead role="rowgroup"><tr role="row">${columns.join("")}</tr></thead>`,
    `<tbody role="rowgroup">`,
    ...body,
    "</tbody></table></div>",
  ].join("\n");
}

/** The head of a column, with the arrow that says which way is better beside its last word. */
function headHtml(text: string): string {
  return escapeHtml(text).replace(/\S+ [↓↑]$/, (end) => `<span class="nb">${end}</span>`);
}

function cellHtml(
  cell: Cell,
  { head, first }: { readonly head: string; readonly first: boolean },
): string {
  const content = contentHtml(cell);
  if (first) return `<th scope="row" role="rowheader">${content}</th>`;
  const label = ` data-label="${escapeHtml(head)}"`;
  const shade = typeof cell === "string" || cell.shade === undefined ? "" : shadeOf(cell.shade);
  return `<td role="cell"${label}${shade}>${content}</td>`;
}

function contentHtml(cell: Cell): string {
  const text = numberHtml(textOf(cell));
  if (typeof cell === "string" || (cell.more ?? []).length + (cell.verdict ? 1 : 0) === 0) {
    return `<span>${text}</span>`; // one box, also where a cell lays out its parts side by side
  }
  const lines = (cell.more ?? []).map((line) => `<small>${numberHtml(line)}</small>`);
  return `<div><span class="main${verdictClass(cell)}">${text}</span>${lines.join("")}</div>`;
}

function verdictClass({ verdict }: RichCell): string {
  return verdict === undefined ? "" : ` verdict ${verdict.replaceAll(" ", "-")}`;
}

/** The deepest shade on which the ink of the page has a contrast of 4.5 (WCAG 2.2, 1.4.3), in light and in dark. */
const DEEPEST = 70;

/** The shade of a share, which goes with its square root: a tenth is visible beside nothing, and a half beside a tenth. */
function shadeOf(share: number): string {
  const depth = DEEPEST * Math.sqrt(Math.min(1, Math.max(0, share)));
  return ` class="share" style="--depth: ${Math.round(depth)}%"`;
}
