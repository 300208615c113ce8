import { readTextIfAny } from "../core/files.ts";
import { firstIssue, RECORD_SCHEMA, RUN_RECORD } from "../experiment/record_schema.ts";
import type { RunRecord } from "../core/types.ts";

/** Results file of an output folder: one RunRecord per line, append-only; the last line of an id counts. */
export const RESULTS_FILE = "results.jsonl";

/** Content of a results file. */
export interface Results {
  readonly records: readonly RunRecord[];
  /** Text after the last line break that is not a record: an incomplete write. */
  readonly torn: string;
}

/**
 * Parses the text of a results file. Throws SyntaxError with the line and the remedy for anything that no version of this
 * program up to this one writes.
 */
export function parseResults(text: string, path: string): Results {
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  const records = lines.map((line, i) => parseRecord(line, `${path} line ${i + 1}`));
  if (last === "") return { records, torn: "" };
  const isOurs = last.startsWith(LINE_START.slice(0, last.length));
  if (isOurs && !isJson(last)) return { records, torn: last };
  return { records: [...records, parseRecord(last, `${path} line ${lines.length + 1}`)], torn: "" };
}

/** Beginning of every line that this program writes. */
const LINE_START = '{"schema":';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseRecord(line: string, where: string): RunRecord {
  const remedy = "nothing was changed; choose another folder, or move this file";
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new SyntaxError(`${where} is not JSON (${(error as Error).message}): ${remedy}`);
  }
  const schema = (value as { schema?: unknown } | null)?.schema;
  if (typeof schema === "number" && schema > RECORD_SCHEMA) {
    throw new SyntaxError(
      `${where} has schema ${schema}, this version reads up to ${RECORD_SCHEMA}: ` +
        "a newer laebench wrote it; update laebench, or choose another folder",
    );
  }
  const result = RUN_RECORD.safeParse(value);
  if (!result.success) {
    throw new SyntaxError(
      `${where} is not a record of a run (${firstIssue(result.error)}): ${remedy}`,
    );
  }
  return result.data;
}

/** Reads the results in `dir`; none if there is no file. */
export async function readResults(dir: string): Promise<Results> {
  const path = `${dir}/${RESULTS_FILE}`;
  return parseResults(await readTextIfAny(path) ?? "", path);
}

/** The last record of each run, in the order of their first records. */
export function latestRecords(records: readonly RunRecord[]): RunRecord[] {
  return [...new Map(records.map((record) => [record.id, record])).values()];
}

/** A results file that is open for appending, by one process at a time. */
export interface Store extends Disposable {
  /** All records of the file in order, including those appended since. */
  readonly records: readonly RunRecord[];
  /** One sentence on a repair made while opening; undefined if none was needed. */
  readonly repaired: string | undefined;
  /** Appends `record` as one line and waits until it is on disk. */
  append(record: RunRecord): Promise<void>;
}

/**
 * Opens the results of the existing folder `dir` for appending. An incomplete last line is moved to another file. Throws
 * SyntaxError for foreign content, before any change, and Error if another process has the file open.
 */
export async function openStore(dir: string, { now = new Date() } = {}): Promise<Store> {
  const path = `${dir}/${RESULTS_FILE}`;
  const file = await Deno.open(path, { read: true, append: true, create: true });
  try {
    if (!await file.tryLock(true)) {
      throw new Error(
        `Another process is writing to ${path}: wait for it, or choose another --out`,
      );
    }
    const bytes = await Deno.readFile(path);
    const text = new TextDecoder().decode(bytes);
    const { records: found, torn } = parseResults(text, path);
    const records = [...found];
    let repaired: string | undefined;
    if (torn !== "") {
      const tornPath = `${path}.torn-${now.toISOString().replaceAll(":", "-")}`;
      const end = bytes.lastIndexOf(0x0a) + 1; // of the last whole line
      await Deno.writeFile(tornPath, bytes.subarray(end), { createNew: true });
      await file.truncate(end);
      repaired =
        `The last line of ${path} was incomplete (${torn.length} characters): moved it to ${tornPath}`;
    } else if (text !== "" && !text.endsWith("\n")) {
      await writeAll(file, "\n"); // a complete record without its line break
    }
    return {
      records,
      repaired,
      async append(record) {
        await writeAll(file, `${JSON.stringify(record)}\n`);
        await file.sync();
        records.push(record);
      },
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function writeAll(file: Deno.FsFile, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
