import type { ResultTable } from "./document/result_table.ts";

/** The table as JSON, two spaces deep, by table.schema.json. */
export function toJson(table: ResultTable): string {
  return `${JSON.stringify(table, null, 2)}\n`;
}
