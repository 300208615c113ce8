import { plainText } from "../harness/core/plain_text.ts";
import { type Block, textOf } from "./document/block.ts";
import { layOut } from "./layout.ts";
import type { ResultTable } from "./document/result_table.ts";

/** The report as Markdown. */
export function toMarkdown(table: ResultTable): string {
  return blocksMarkdown(layOut(table));
}

/** `blocks` as Markdown; `captions` puts those of the tables above them, where no heading names each table. */
export function blocksMarkdown(blocks: readonly Block[], { captions = false } = {}): string {
  const texts = blocks.map((block) =>
    captions && block.kind === "table"
      ? `${inMarkdown(block.caption)}:\n\n${printBlock(block)}`
      : printBlock(block)
  );
  return `${texts.join("\n\n")}\n`;
}

function printBlock(block: Block): string {
  switch (block.kind) {
    case "title":
      return `# ${inMarkdown(block.text)}`;
    case "heading":
      return `## ${inMarkdown(block.text)}`;
    case "text":
      return inMarkdown(block.text);
    case "list":
      return block.items.map((item) => `- ${inMarkdown(item)}`).join("\n");
    case "table":
      return markdownTable(block.head, block.rows.map((row) => row.map(textOf)));
  }
}

/** A Markdown table, columns padded to equal width so that it reads well as plain text. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cells = [head, ...rows].map((row) =>
    row.map((text) => inMarkdown(text).replaceAll("|", "\\|"))
  );
  const widths = head.map((_, i) => Math.max(3, ...cells.map((row) => [...row[i]].length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => cell + " ".repeat(widths[i] - [...cell].length)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join("\n");
}

/**
 * `text` on one line that neither a terminal nor a browser obeys: names and messages may hold control sequences, HTML, or links
 * and pictures of Markdown.
 */
export function inMarkdown(text: string): string {
  return plainText(text).replaceAll(/&(?=#|\w+;)/g, "&amp;").replaceAll(/<(?=[\w/!?])/g, "&lt;")
    .replaceAll("](", "]\\(").replaceAll("][", "]\\[");
}
