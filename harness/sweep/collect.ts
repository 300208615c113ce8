/**
 * Adopts the records that runs wrote to their own folders, on a cluster or after bench was killed, into the results of the
 * output folder. Nothing is trained or scored again, and no record is changed.
 *
 * @module
 */
import { ifThere } from "../core/files.ts";
import { plainText } from "../core/plain_text.ts";
import type { RunRecord } from "../core/records.ts";
import { readRecordFile } from "./record_file.ts";
import { openStore, type Store } from "./store.ts";

/** Records in the folders of runs. */
export interface FoundRecords {
  /** Those that `known` lacks, in order of their start. */
  readonly records: readonly RunRecord[];
  /** One sentence on each record file that cannot be used. */
  readonly unusable: readonly string[];
}

/**
 * Finds the records in the run folders of the output folder `out` that `known` lacks; failures only of runs without a result in
 * `known`. Records are told apart by when they started and never compared by it: clocks differ between machines and step back.
 */
export async function findRecords(
  out: string,
  known: readonly RunRecord[],
): Promise<FoundRecords> {
  const starts = new Set(known.map(({ id, startedAt }) => `${id} ${startedAt}`));
  const withResult = new Set(known.filter(hasResult).map(({ id }) => id));
  const records: RunRecord[] = [];
  const unusable: string[] = [];
  for (const id of await runFolders(out)) {
    try {
      const record = await readRecordFile(`${out}/${id}`, id);
      if (record === undefined || starts.has(`${id} ${record.startedAt}`)) continue;
      if (hasResult(record) || !withResult.has(id)) records.push(record);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      unusable.push(`Ignored a record: ${error.message}`);
    }
  }
  const order = (record: RunRecord) => Date.parse(record.startedAt);
  return { records: records.toSorted((a, b) => order(a) - order(b)), unusable };
}

function hasResult({ status }: RunRecord): boolean {
  return status === "completed" || status === "diverged";
}

/** Names of the folders of runs in `out`, which are the ids of the runs; none if `out` does not exist. */
async function runFolders(out: string): Promise<string[]> {
  const names: string[] = [];
  const list = async () => {
    for await (const { name, isFile } of Deno.readDir(out)) {
      if (!isFile && /^[0-9a-f]{12}$/.test(name)) names.push(name);
    }
  };
  await ifThere(list());
  return names.toSorted();
}

/** Appends to `store`, the results of `out`, the records found there that it lacks; resolves to these, after one line on each problem. */
export async function adoptRecords(out: string, store: Store): Promise<readonly RunRecord[]> {
  const { records, unusable } = await findRecords(out, store.records);
  for (const line of unusable) console.error(plainText(line));
  for (const record of records) await store.append(record);
  if (records.length > 0) {
    console.error(
      `Collected ${records.length === 1 ? "1 run" : `${records.length} runs`} of ${out}`,
    );
  }
  return records;
}

/** Opens the results of `out`, adopts the records found there, and resolves to these and to all records. */
export async function collect(
  out: string,
): Promise<{ readonly adopted: readonly RunRecord[]; readonly records: readonly RunRecord[] }> {
  using store = await openStore(out);
  if (store.repaired !== undefined) console.error(store.repaired);
  const adopted = await adoptRecords(out, store);
  return { adopted, records: store.records };
}
