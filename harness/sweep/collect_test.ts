import assert from "node:assert/strict";
import type { RunRecord } from "../core/records.ts";
import { resolveRuns } from "../experiment/spec.ts";
import { withTempDir } from "../testing/temp_dir.ts";
import { TINY_EXPERIMENT, TINY_TABLES, tinyRecord } from "../testing/tiny.ts";
import { collect } from "./collect.ts";
import { readRecordFile, RECORD_FILE, writeRecordFile } from "./record_file.ts";
import { openStore, readResults } from "./store.ts";

const SPECS = resolveRuns({ ...TINY_EXPERIMENT, seeds: [0, 1, 2, 3] }, TINY_TABLES);

/** A record of the run with `seed` that started in the second `at`. */
function record(seed: number, at: number, failed = false): RunRecord {
  const base = { ...tinyRecord(SPECS[seed]), startedAt: new Date(at * 1000).toISOString() };
  return failed
    ? { ...base, status: "failed", error: "no memory" }
    : { ...base, status: "completed", scores: { gap: at }, untrained: {} };
}

async function write(root: string, written: RunRecord): Promise<void> {
  await Deno.mkdir(`${root}/${written.id}`, { recursive: true });
  await writeRecordFile(`${root}/${written.id}`, written);
}

Deno.test("collect() adopts each finished run once, in order of their starts, and leaves its record", () =>
  withTempDir(async (root) => {
    const records = [record(0, 30), record(1, 10), record(2, 20, true)];
    for (const one of records) await write(root, one);
    const { adopted } = await collect(root);
    assert.deepEqual(adopted, [records[1], records[2], records[0]]);
    assert.deepEqual((await readResults(root)).records, adopted);
    assert.deepEqual((await collect(root)).adopted, []);
    for (const one of records) {
      assert.deepEqual(await readRecordFile(`${root}/${one.id}`, one.id), one);
    }
  }));

Deno.test("collect() adopts a result whatever the clocks say, and no failure beside a result", () =>
  withTempDir(async (root) => {
    const [result, failure] = [record(0, 10), record(1, 20, true)];
    for (const one of [result, failure]) await write(root, one);
    {
      using store = await openStore(root);
      await store.append(record(0, 30, true)); // before the result, by a clock that was ahead
      await store.append(record(1, 10));
    }
    assert.deepEqual((await collect(root)).adopted, [result]);
    assert.deepEqual((await collect(root)).adopted, []);
  }));

Deno.test("collect() leaves a file that is no record of its folder, and adopts the others", () =>
  withTempDir(async (root) => {
    const [broken, foreign, sound] = [record(0, 10), record(1, 10), record(2, 10)];
    for (const one of [broken, foreign, sound]) await write(root, one);
    await Deno.writeTextFile(`${root}/${broken.id}/${RECORD_FILE}`, '{"schema":1,');
    await Deno.writeTextFile(`${root}/${foreign.id}/${RECORD_FILE}`, JSON.stringify(sound));
    assert.deepEqual((await collect(root)).adopted, [sound]);
    const text = await Deno.readTextFile(`${root}/${broken.id}/${RECORD_FILE}`);
    assert.equal(text, '{"schema":1,');
  }));

Deno.test("writeRecordFile() replaces a failure, and never a result by a failure", () =>
  withTempDir(async (root) => {
    const [failed, completed, again] = [record(0, 10, true), record(0, 20), record(0, 30, true)];
    const read = () => readRecordFile(`${root}/${failed.id}`, failed.id);
    for (
      const [written, expected] of [[failed, failed], [completed, completed], [again, completed]]
    ) {
      await write(root, written);
      assert.deepEqual(await read(), expected);
    }
  }));
