/**
 * Damage to the bytes of files: flipped bits of checkpoints, results and records; results that are torn, followed by NUL bytes,
 * or mixed with garbage.
 *
 * @module
 */
import { latestRecords, openStore, readResults, RESULTS_FILE } from "../../harness/sweep/store.ts";
import { collect, findRecords } from "../../harness/sweep/collect.ts";
import { RECORD_FILE } from "../../harness/sweep/record_file.ts";
import type { RunRecord } from "../../harness/core/records.ts";
import { decodeCheckpoint } from "../../harness/run/checkpoint.ts";
import { CHECKPOINT_FILE, loadSoundCheckpoint } from "../../harness/run/checkpoint_files.ts";
import { compareSweeps, finishSweep } from "./sweeps.ts";
import { NOTHING, sumTallies, type Tally } from "./tally.ts";

/** Flipped bits of a checkpoint for each one that is also written to a file and loaded: files take most of the time. */
const FLIPS_A_FILE = 100;

/** Flips one bit of every `stride`-th byte of a checkpoint in the finished sweep `expected`, one at a time, and reads it. */
export async function flipBits(
  dir: string,
  { expected, stride }: { readonly expected: string; readonly stride: number },
): Promise<Tally> {
  const [{ id }] = (await readResults(expected)).records;
  const bytes = await Deno.readFile(`${expected}/${id}/${CHECKPOINT_FILE}`);
  await Deno.mkdir(dir);
  let [faults, different] = [0, 0];
  for (let at = 0; at < bytes.length; at += stride) {
    const bit = 1 << (at / stride) % 8;
    bytes[at] ^= bit;
    let isTaken = isCheckpoint(bytes);
    if (faults % FLIPS_A_FILE === 0) {
      await Deno.writeFile(`${dir}/${CHECKPOINT_FILE}`, bytes);
      const loaded = await loadSoundCheckpoint(dir, { check: () => {}, report: () => {} });
      isTaken ||= loaded !== undefined;
    }
    bytes[at] ^= bit;
    faults++;
    if (isTaken) different++;
  }
  return { ...NOTHING, faults, different };
}

function isCheckpoint(bytes: Uint8Array<ArrayBuffer>): boolean {
  try {
    decodeCheckpoint(bytes);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/**
 * Flips one bit of every `stride`-th byte of results.jsonl, and of the record of a run that results.jsonl lacks, one at a time,
 * and collects: the damage is refused and nothing changed, or the records are those of before.
 */
export async function flipRecordBits(
  out: string,
  { expected, stride }: { readonly expected: string; readonly stride: number },
): Promise<Tally> {
  await copyFolder(expected, out);
  const { records: before } = await readResults(out);
  const tallies = [
    await flipEach(`${out}/${RESULTS_FILE}`, stride, async (path, damaged) => {
      const found = await quietly(() => collect(out)).catch((error) => error);
      removeTorn(out);
      if (!(found instanceof Error)) {
        const { records } = found;
        const recordsLost = countOthers(before, records);
        return { different: countOthers(records, before), recordsLost };
      }
      const isKept = found instanceof SyntaxError && areEqual(await Deno.readFile(path), damaged);
      return { recordsLost: isKept ? 0 : 1 };
    }),
  ];
  for (const { id } of before) {
    tallies.push(
      await flipEach(`${out}/${id}/${RECORD_FILE}`, stride, async () => {
        const { records } = await findRecords(out, []);
        return { different: countOthers(records, before) };
      }),
    );
  }
  return sumTallies(tallies);
}

/** Flips one bit of every `stride`-th byte of the file at `path` for `judge`, one at a time, and restores the file. */
async function flipEach(
  path: string,
  stride: number,
  judge: (path: string, damaged: Uint8Array) => Promise<Partial<Tally>>,
): Promise<Tally> {
  const bytes = await Deno.readFile(path);
  const tallies: Partial<Tally>[] = [];
  for (let at = 0; at < bytes.length; at += stride) {
    const damaged = bytes.with(at, bytes[at] ^ 1 << (at / stride) % 8);
    await Deno.writeFile(path, damaged);
    tallies.push({ faults: 1 }, await judge(path, damaged));
  }
  await Deno.writeFile(path, bytes);
  return sumTallies(tallies);
}

/** Number of the latest of `records` that `expected` lacks. */
function countOthers(records: readonly RunRecord[], expected: readonly RunRecord[]): number {
  const known = expected.map((record) => JSON.stringify(record));
  return latestRecords(records).filter((record) => !known.includes(JSON.stringify(record))).length;
}

/** Removes the files to which a repair of the results of `out` moved what was torn. */
function removeTorn(out: string): void {
  for (const { name } of Deno.readDirSync(out)) {
    if (name.startsWith(`${RESULTS_FILE}.torn`)) Deno.removeSync(`${out}/${name}`);
  }
}

/** Flips a bit in the checkpoint of each run of a sweep, before its records exist, and lets the sweep go on from there. */
export async function resumeFromDamage(
  out: string,
  { expected, random }: { readonly expected: string; random(): number },
): Promise<Tally> {
  await copyFolder(expected, out);
  await Deno.remove(`${out}/${RESULTS_FILE}`);
  let faults = 0;
  for (const { id } of (await readResults(expected)).records) {
    await Deno.remove(`${out}/${id}/${RECORD_FILE}`);
    const path = `${out}/${id}/${CHECKPOINT_FILE}`;
    const bytes = await Deno.readFile(path);
    bytes[Math.floor(bytes.length * random())] ^= 1 << Math.floor(8 * random());
    await Deno.writeFile(path, bytes);
    faults++;
  }
  await finishSweep(out);
  return sumTallies([{ faults }, await compareSweeps(out, expected)]);
}

/**
 * Tears results.jsonl at every `stride`-th byte of its last line, without and with NUL bytes behind; collects again; counts
 * records that are lost or there twice. Then puts garbage between the lines, which must be refused and change nothing.
 */
export async function tearResults(
  out: string,
  { expected, stride }: { readonly expected: string; readonly stride: number },
): Promise<Tally> {
  await copyFolder(expected, out);
  const path = `${out}/${RESULTS_FILE}`;
  const whole = await Deno.readFile(path);
  const before = await readResults(out);
  const start = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
  let [faults, recordsLost, duplicates] = [0, 0, 0];
  for (let at = start; at < whole.length; at += stride) {
    for (const nuls of [0, 512]) {
      const torn = new Uint8Array(at + nuls);
      torn.set(whole.subarray(0, at));
      await Deno.writeFile(path, torn);
      faults++;
      const { records } = await quietly(() => collect(out));
      const latest = latestRecords(records);
      recordsLost += before.records.filter((record) =>
        !latest.some((one) =>
          JSON.stringify(one) === JSON.stringify(record)
        )
      ).length;
      duplicates += records.length - latest.length;
      removeTorn(out);
    }
  }
  for (const garbage of ["garbage\n", '{"schema":1}\n', "\0\0\0\n", "\n"]) {
    const bytes = new TextEncoder().encode(garbage);
    const mixed = new Uint8Array([...whole.subarray(0, start), ...bytes, ...whole.subarray(start)]);
    await Deno.writeFile(path, mixed);
    faults++;
    let message = "";
    try {
      (await openStore(out))[Symbol.dispose]();
    } catch (error) {
      message = (error as Error).message;
    }
    const after = await Deno.readFile(path);
    if (!/ line 2 .*nothing was changed; /.test(message) || !areEqual(after, mixed)) recordsLost++;
  }
  return { ...NOTHING, faults, recordsLost, duplicates };
}

/** Awaits `work` without its messages. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { error } = console;
  console.error = () => {};
  try {
    return await work();
  } finally {
    console.error = error;
  }
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Copies a folder of files and folders to the new folder `to`. */
async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
