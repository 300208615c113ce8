import assert from "node:assert/strict";
import { LOCK_FILE } from "../core/file_lock.ts";
import { withTempDir } from "../testing/temp_dir.ts";
import { resolveRuns } from "../experiment/spec.ts";
import { writeChecked } from "./checked_json.ts";
import { latestRecords, openStore, parseResults, readResults, RESULTS_FILE } from "./store.ts";
import { TINY_EXPERIMENT, TINY_TABLES, tinyRecord } from "../testing/tiny.ts";
import type { RunRecord } from "../core/records.ts";

function record(seed: number, error = "none"): RunRecord {
  const [spec] = resolveRuns({ ...TINY_EXPERIMENT, seeds: [seed] }, TINY_TABLES);
  return { ...tinyRecord(spec), status: "failed", error };
}

const line = (r: RunRecord) => `${writeChecked(r)}\n`;

async function withResults(text: string, body: (dir: string) => Promise<void>): Promise<void> {
  await withTempDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/${RESULTS_FILE}`, text);
    await body(dir);
  });
}

const read = (dir: string) => Deno.readTextFile(`${dir}/${RESULTS_FILE}`);

Deno.test("openStore() appends lines that readResults() gives back", () =>
  withResults(line(record(0)), async (dir) => {
    {
      using store = await openStore(dir);
      await store.append(record(1, 'quotes " and\nbreaks'));
      assert.equal(store.records.length, 2);
      assert.equal(store.repaired, undefined);
    }
    assert.deepEqual(await readResults(dir), {
      records: [record(0), record(1, 'quotes " and\nbreaks')],
      torn: "",
    });
  }));

Deno.test("openStore() reads lines of versions without checksums, and refuses one with a changed digit", async () => {
  const old = `${JSON.stringify(record(0))}\n`;
  await withResults(old + line(record(1)), async (dir) => {
    assert.deepEqual((await readResults(dir)).records, [record(0), record(1)]);
  });
  const changed = line(record(1)).replace('"sampleCount":130', '"sampleCount":138');
  await withResults(old + changed + line(record(2)), async (dir) => {
    await assert.rejects(
      openStore(dir),
      /line 2 is not what was written \(its checksum .*: nothing was changed; move this line/,
    );
    assert.equal(await read(dir), old + changed + line(record(2)));
  });
});

Deno.test("latestRecords() keeps the last record of each id, in order of first appearance", () => {
  const all = [record(0, "first"), record(1), record(0, "second")];
  assert.deepEqual(latestRecords(all), [record(0, "second"), record(1)]);
});

Deno.test("openStore() moves an incomplete last line of any length to another file", async () => {
  const whole = line(record(0)) + line(record(1, "größer")); // more bytes than characters
  const next = new TextEncoder().encode(line(record(2, "größer")));
  const inLetter = next.indexOf(0xc3) + 1; // between the two bytes of ö
  for (const length of [1, 20, inLetter, next.length - 2]) {
    const torn = next.slice(0, length);
    await withResults(whole, async (dir) => {
      await Deno.writeFile(`${dir}/${RESULTS_FILE}`, torn, { append: true });
      assert.ok((await readResults(dir)).torn.length > 0, "reading alone repairs nothing");
      {
        using store = await openStore(dir, { now: new Date(0) });
        assert.match(
          store.repaired ?? "",
          /was incomplete \(\d+ characters\): moved it to .*1970-01-01/,
        );
        await store.append(record(3));
      }
      assert.equal(await read(dir), whole + line(record(3)));
      const aside = `${dir}/${RESULTS_FILE}.torn-1970-01-01T00-00-00.000Z`;
      assert.deepEqual(await Deno.readFile(aside), torn);
    });
  }
});

Deno.test("openStore() adds a missing line break after a complete record", () =>
  withResults(line(record(0)).trimEnd(), async (dir) => {
    {
      using store = await openStore(dir);
      assert.equal(store.repaired, undefined);
      await store.append(record(1));
    }
    assert.equal(await read(dir), line(record(0)) + line(record(1)));
  }));

Deno.test("openStore() refuses foreign content without changing it", async () => {
  const good = line(record(0));
  const other = (from: string, to: string) =>
    `${writeChecked(JSON.parse(JSON.stringify(record(0)).replace(from, to)))}\n`;
  const cases: [string, RegExp][] = [
    ["hello\n", /line 1 is not JSON/],
    ["hello", /line 1 is not JSON/],
    [`${good}hello\n${good}`, /line 2 is not JSON/],
    [`${good}\n`, /line 2 is not JSON/],
    [`${good}{"a":1}\n`, /line 2 is not a record of a run \(/],
    ["[]\n", /line 1 is not a record/],
    ["null\n", /line 1 is not a record/],
    [other('"failed"', '"vanished"'), /line 1 is not a record of a run \(status/],
    [other('"schema":1', '"schema":2'), /has schema 2, this version reads up to 1/],
    [other('"schema":1', '"schema":2').trimEnd(), /has schema 2/],
  ];
  for (const [text, pattern] of cases) {
    await withResults(text, async (dir) => {
      await assert.rejects(openStore(dir), pattern);
      await assert.rejects(readResults(dir), pattern);
      assert.equal(await read(dir), text);
      const files = [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
      assert.deepEqual(files, [LOCK_FILE, RESULTS_FILE]);
    });
  }
});

Deno.test("openStore() admits one process at a time", () =>
  withResults("", async (dir) => {
    using _store = await openStore(dir);
    await assert.rejects(
      openStore(dir),
      /is in use by process \d+ on .*: wait for it, or choose another --out$/,
    );
  }));

Deno.test("parseResults() accepts an empty file", () => {
  assert.deepEqual(parseResults("", "x"), { records: [], torn: "" });
});

Deno.test("openStore() repairs NUL bytes behind a whole and behind an incomplete last line", () =>
  withTempDir(async (dir) => {
    const path = `${dir}/${RESULTS_FILE}`;
    const whole = line(record(0));
    for (
      const [text, kept, torn] of [
        [`${whole}\0\0\0`, whole, "\0\0\0"],
        [`${whole}${whole.slice(0, 40)}\0\0`, whole, `${whole.slice(0, 40)}\0\0`],
        [`${whole.trimEnd()}\0`, whole, "\0"],
        ["\0\0", "", "\0\0"],
      ]
    ) {
      await Deno.writeTextFile(path, text);
      assert.equal((await readResults(dir)).torn, torn);
      {
        using store = await openStore(dir, { now: new Date("2026-01-02T03:04:05.678Z") });
        assert.equal(store.records.length, kept === "" ? 0 : 1);
        assert.match(
          store.repaired ?? "",
          torn.startsWith("\0") ? /by \d NUL bytes/ : /incomplete/,
        );
      }
      assert.equal(await Deno.readTextFile(path), kept);
      const aside = `${path}.torn-2026-01-02T03-04-05.678Z`;
      assert.equal(await Deno.readTextFile(aside), torn);
      await Deno.remove(aside);
    }
  }));
