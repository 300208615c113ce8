/**
 * Damage to the bytes of files: flipped bits of checkpoints; results that are torn, followed by NUL bytes, or mixed with garbage.
 *
 * @module
 */
import { latestRecords, openStore, readResults, RESULTS_FILE } from "../../harness/sweep/store.ts";
import { collect } from "../../harness/sweep/collect.ts";
import { CHECKPOINT_FILE, loadSoundCheckpoint } from "../../harness/run/checkpoint_files.ts";
import { compareSweeps, finishSweep } from "./sweeps.ts";
import { NOTHING, sumTallies, type Tally } from "./tally.ts";

/** Flips one bit of every `stride`-th byte of a checkpoint in the finished sweep `expected`, one at a time, and loads it. */
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
    await Deno.writeFile(`${dir}/${CHECKPOINT_FILE}`, bytes);
    bytes[at] ^= bit;
    const loaded = await loadSoundCheckpoint(dir, { check: () => {}, report: () => {} });
    faults++;
    if (loaded !== undefined) different++;
  }
  return { ...NOTHING, faults, different };
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
    await Deno.remove(`${out}/${id}/record.json`);
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
      for (const { name } of Deno.readDirSync(out)) {
        if (name.startsWith(`${RESULTS_FILE}.torn`)) Deno.removeSync(`${out}/${name}`);
      }
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
