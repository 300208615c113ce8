import { readTextIfAny } from "../core/files.ts";
import { firstIssue, RECORD_SCHEMA, RUN_RECORD } from "../experiment/record_schema.ts";
import type { RunRecord } from "../core/types.ts";

/** The ledger of an output folder: one RunRecord a line, append-only; the last line of an id wins. */
export const RESULTS_FILE = "results.jsonl";

/** A results file as read. */
export interface Results {
  readonly records: readonly RunRecord[];
  /** What follows the last line break and is no record: the rest of a write that was cut off. */
  readonly torn: string;
}

/**
 * Reads the text of a results file. Throws SyntaxError, with the line and the remedy, for anything that
 * this program, up to this version, would not have written.
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

/** How each line that this program writes begins. */
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
  const remedy = "nothing was changed; name another folder, or move that file away";
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
        "a newer laebench wrote it; update, or name another folder",
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

/** The results in `dir`; none when there is no file. */
export async function readResults(dir: string): Promise<Results> {
  const path = `${dir}/${RESULTS_FILE}`;
  return parseResults(await readTextIfAny(path) ?? "", path);
}

/** The last record of each run, in the order in which the runs first appeared. */
export function latestRecords(records: readonly RunRecord[]): RunRecord[] {
  return [...new Map(records.map((record) => [record.id, record])).values()];
}

/** A results file open for appending, by one process at a time. */
export interface Store extends Disposable {
  /** Every record of the file, in its order, and those appended since. */
  readonly records: readonly RunRecord[];
  /** What was repaired on opening, in a sentence; none usually. */
  readonly repaired: string | undefined;
  /** Appends `record` as one line and waits until the disk has it. */
  append(record: RunRecord): Promise<void>;
}

/**
 * Opens the results of `dir` for appending, which must exist. A torn last line is moved to a file of its
 * own. Throws SyntaxError for foreign content, before any change, and Error when another process has the
 * file open.
 */
export async function openStore(dir: string, { now = new Date() } = {}): Promise<Store> {
  const path = `${dir}/${RESULTS_FILE}`;
  const file = await Deno.open(path, { read: true, append: true, create: true });
  try {
    if (!await file.tryLock(true)) {
      throw new Error(`Another bench writes to ${path}: wait for it, or name another --out`);
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
        `The last line of ${path} was torn (${torn.length} characters): moved to ${tornPath}`;
    } else if (text !== "" && !text.endsWith("\n")) {
      await writeAll(file, "\n"); // a whole record, cut off before its line break
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
