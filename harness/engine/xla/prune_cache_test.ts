import assert from "node:assert/strict";
import { withTempDir } from "../../testing/temp_dir.ts";
import { markUsed, pruneCache } from "./prune_cache.ts";

const CACHE = { pattern: /^p\d+$/, limit: 250 };

/** Writes files p0, p1, ... of 100 bytes each; p0 is the least recently used. */
async function fill(dir: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await Deno.writeFile(`${dir}/p${i}`, new Uint8Array(100));
    const used = new Date(Date.UTC(2026, 0, 1 + i));
    await Deno.utime(`${dir}/p${i}`, used, used);
  }
}

const namesIn = (dir: string) => [...Deno.readDirSync(dir)].map(({ name }) => name).sort();

Deno.test("pruneCache() removes the least recently used files until the rest fit", () =>
  withTempDir(async (dir) => {
    await fill(dir, 4);
    await markUsed(`${dir}/p0`);
    await pruneCache(dir, { ...CACHE, limit: 400 });
    assert.deepEqual(namesIn(dir), ["p0", "p1", "p2", "p3"], "they fit");
    await pruneCache(dir, CACHE);
    assert.deepEqual(namesIn(dir), ["p0", "p3"]);
  }));

Deno.test("pruneCache() keeps the most recently used file and files that do not match", () =>
  withTempDir(async (dir) => {
    await fill(dir, 2);
    await Deno.mkdir(`${dir}/p7`);
    await Deno.writeFile(`${dir}/notes.txt`, new Uint8Array(1000));
    await pruneCache(dir, { ...CACHE, limit: 10 });
    assert.deepEqual(namesIn(dir), ["notes.txt", "p1", "p7"]);
  }));

Deno.test("pruneCache() and markUsed() accept that another process removed a file", () =>
  withTempDir(async (dir) => {
    await fill(dir, 60);
    await Promise.all(Array.from({ length: 8 }, () => pruneCache(dir, CACHE)));
    assert.deepEqual(namesIn(dir), ["p58", "p59"]);
    await markUsed(`${dir}/p0`);
  }));
