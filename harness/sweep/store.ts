import { claimFolder } from "../core/file_lock.ts";
import { readTextIfAny, removeTemporary } from "../core/files.ts";
import { firstIssue, RECORD_SCHEMA, RUN_RECORD } from "../experiment/record_schema.ts";
import type { RunRecord } from "../core/records.ts";
import { parseChecked, writeChecked } from "./checked_json.ts";

/** Results file of an output folder: one RunRecord per line, with a checksum, append-only; the last line of an id counts. */
export const RESULTS_FILE = "results.jsonl";

/** Content of a results file. */
export interface Results {
  readonly records: readonly RunRecord[];
  /** Text at the end that is not a record: an incomplete write, or NUL bytes. */
  readonly torn: string;
}

/**
 * Parses the text of a results file. Throws SyntaxError with the line and a hint for anything that no version of this
 * program up to this one writes.
 */
export function parseResults(text: string, path: string): Results {
  let end = text.length;
  while (text[end - 1] === NUL) end--;
  const lines = text.slice(0, end).split("\n");
  const last = lines.pop() ?? "";
  const records = lines.map((line, i) => parseRecord(line, `${path} line ${i + 1}`));
  const nuls = text.slice(end);
  if (last === "") return { records, torn: nuls };
  const isOurs = last.startsWith(LINE_START.slice(0, last.length));
  if (isOurs && !isJson(last)) return { records, torn: last + nuls };
  const whole = parseRecord(last, `${path} line ${lines.length + 1}`);
  return { records: [...records, whole], torn: nuls };
}

/** The bytes that a power failure leaves at the end of a file that had grown, where its data had not reached the disk. */
const NUL = "\0";

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
  const hint = "nothing was changed; move this line to another file and call deno task collect, " +
    "which adds what the folders of the runs have, or choose another folder";
  let value: unknown;
  try {
    value = parseChecked(line);
  } catch (error) {
    throw new SyntaxError(`${where} is ${(error as Error).message}: ${hint}`, { cause: error });
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
      `${where} is not a record of a run (${firstIssue(result.error)}): ${hint}`,
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
 * Opens the results of the existing folder `dir` for appending, and claims the folder. An incomplete last line and NUL bytes
 * behind the last one are moved to another file. Throws SyntaxError for foreign content, before any change, and Error if
 * another process has the folder.
 */
export async function openStore(dir: string, { now = new Date() } = {}): Promise<Store> {
  const path = `${dir}/${RESULTS_FILE}`;
  using opening = new DisposableStack();
  opening.use(await claimFolder(dir, { hint: "wait for it, or choose another --out" }));
  await removeTemporary(dir);
  const file = opening.use(await Deno.open(path, { read: true, append: true, create: true }));
  const bytes = await Deno.readFile(path);
  const { records: found, torn } = parseResults(new TextDecoder().decode(bytes), path);
  const records = [...found];
  let end = bytes.length; // of the last whole line
  while (bytes[end - 1] === 0) end--;
  const isCut = torn.replaceAll(NUL, "") !== "";
  if (isCut) end = bytes.lastIndexOf(0x0a, end - 1) + 1;
  let repaired: string | undefined;
  if (end < bytes.length) {
    const tornPath = `${path}.torn-${now.toISOString().replaceAll(":", "-")}`;
    await Deno.writeFile(tornPath, bytes.subarray(end), { createNew: true });
    await file.truncate(end);
    repaired = isCut
      ? `The last line of ${path} was incomplete (${torn.length} characters): moved it to ${tornPath}`
      : `The last line of ${path} was followed by ${torn.length} NUL bytes: moved them to ${tornPath}`;
  }
  if (end > 0 && bytes[end - 1] !== 0x0a) await writeAll(file, "\n"); // a record without its line break
  const opened = opening.move();
  return {
    records,
    repaired,
    async append(record) {
      await writeAll(file, `${writeChecked(record)}\n`);
      await file.sync();
      records.push(record);
    },
    [Symbol.dispose]: () => opened.dispose(),
  };
}

async function writeAll(file: Deno.FsFile, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
