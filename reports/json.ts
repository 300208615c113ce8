import type { ResultTable } from "./document/result_table.ts";

/** The table as JSON, indented by two spaces, as table.schema.json describes it. */
export function toJson(table: ResultTable): string {
  return `${JSON.stringify(table, null, 2)}\n`;
}
