/**
 * The record that a run writes to its own folder: how bench, and whoever collects the runs of a cluster, learn its result.
 *
 * @module
 */
import { readTextIfAny, replaceFile } from "../core/files.ts";
import type { RunRecord } from "../core/records.ts";
import { firstIssue, RUN_RECORD } from "../experiment/record_schema.ts";
import { parseChecked, writeChecked } from "./checked_json.ts";

/** File of a run's folder to which its process writes the record. */
export const RECORD_FILE = "record.json";

/** Reads the record of the run `id` in its folder `dir`; undefined if there is none. Throws SyntaxError for anything else. */
export async function readRecordFile(dir: string, id: string): Promise<RunRecord | undefined> {
  const path = `${dir}/${RECORD_FILE}`;
  const text = await readTextIfAny(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = parseChecked(text.trimEnd());
  } catch (error) {
    throw new SyntaxError(`${path} is ${(error as Error).message}`, { cause: error });
  }
  const result = RUN_RECORD.safeParse(value);
  if (!result.success) {
    throw new SyntaxError(`${path} is not a record of a run: ${firstIssue(result.error)}`);
  }
  if (result.data.id !== id) {
    throw new SyntaxError(`${path} is the record of run ${result.data.id}, not of ${id}`);
  }
  return result.data;
}

/** Writes `record` to the folder `dir` of its run. A failure replaces another failure only: a result is never deleted. */
export async function writeRecordFile(dir: string, record: RunRecord): Promise<void> {
  if (record.status === "failed") {
    const earlier = await readRecordFile(dir, record.id).catch(() => undefined);
    if (earlier !== undefined && earlier.status !== "failed") return;
  }
  await replaceFile(`${dir}/${RECORD_FILE}`, `${writeChecked(record)}\n`);
}
