/** The three forms of a table of examples, read back: for tests. */
import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import type { RunRecord } from "../harness/core/records.ts";
import type { ResultTable } from "./document/result_table.ts";
import { exampleResults } from "./example_records.ts";
import { toHtml } from "./html.ts";
import { toJson } from "./json.ts";
import { toMarkdown } from "./markdown.ts";
import type { ListedRun } from "./table.ts";

/** The part of linkedom's elements that is used here: Deno's types have no DOM. */
interface Element {
  readonly children: Iterable<Element>;
  readonly textContent: string;
  querySelectorAll(selector: string): Iterable<Element>;
}

/** A table in its three forms: the JSON as read back, and the rows and notes that Markdown and HTML both show. */
export interface Forms {
  readonly json: ResultTable;
  readonly rows: readonly string[];
  readonly notes: readonly string[];
}

/** The forms of the table of `records`. Fails where Markdown and HTML differ. */
export function formsOf(
  records: readonly RunRecord[],
  runList: readonly ListedRun[] | null = null,
): Forms {
  const results = exampleResults(records, { runList });
  const { table } = results;
  const json = JSON.parse(toJson(table)) as ResultTable;
  const lines = toMarkdown(table).split("\n").map((line) => line.replaceAll(/ +/g, " "));
  const rows = lines.filter((line) => line.startsWith("|") && !line.startsWith("| ---"));
  const notes = lines.filter((line) => line.startsWith("- "));
  const { document } = parseHTML(toHtml(results)) as unknown as { readonly document: Element };
  const elements = (selector: string) => [...document.querySelectorAll(selector)];
  // What the page shows beyond the cell of table.md stands in elements of its own.
  const textOf = (cell: Element) => ([...cell.querySelectorAll(".main")][0] ?? cell).textContent;
  const htmlRows = elements("table[data-mirror] tr").map((row) =>
    `| ${[...row.children].map(textOf).join(" | ")} |`.replaceAll(/ +/g, " ")
  );
  assert.deepEqual(htmlRows, rows);
  assert.deepEqual(elements("ul[data-mirror] li").map((item) => `- ${item.textContent}`), notes);
  return { json, rows, notes };
}

/** Fails, and shows `lines`, where `line` is not among them. */
export function assertHas(lines: readonly string[], line: string): void {
  assert.ok(lines.includes(line), `${line}\nis not among\n${lines.join("\n")}`);
}
