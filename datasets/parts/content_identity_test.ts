import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "./fixtures.ts";
import { contentIdentity } from "./content_identity.ts";

const TIME = new Date("2001-02-03T04:05:06Z");

Deno.test("contentIdentity() tells files of equal size and time apart, by content alone", () =>
  withFolder(async (folder) => {
    const [a, b, c] = ["a.tar", "b.tar", "c.tar"].map((name) => join(folder, name));
    await Deno.writeTextFile(a, "one");
    await Deno.writeTextFile(b, "two");
    await Deno.writeTextFile(c, "one");
    for (const path of [a, b, c]) await Deno.utime(path, TIME, TIME);
    const cache = join(folder, "cache");
    const of = async (path: string) => (await contentIdentity(path, [""], { cache })).digest;
    assert.notEqual(await of(a), await of(b));
    assert.equal(await of(a), await of(c));
  }));

Deno.test("contentIdentity() sees a file that is replaced or rewritten under its old size and time", () =>
  withFolder(async (folder) => {
    const [set, cache] = [join(folder, "set"), join(folder, "cache")];
    await Deno.mkdir(set);
    const path = join(set, "a.png");
    const identity = async () => {
      const { digest, keep } = await contentIdentity(set, ["a.png"], { cache });
      await keep();
      return digest;
    };
    await Deno.writeTextFile(path, "one");
    await Deno.utime(path, TIME, TIME);
    const first = await identity();
    assert.equal(await identity(), first);
    await Deno.writeTextFile(path, "two"); // the same inode
    await Deno.utime(path, TIME, TIME);
    const second = await identity();
    assert.notEqual(second, first);
    await Deno.writeTextFile(join(folder, "new"), "one");
    await Deno.utime(join(folder, "new"), TIME, TIME);
    await Deno.rename(join(folder, "new"), path); // another inode
    assert.equal(await identity(), first);
  }));

Deno.test("contentIdentity() does not read again what it knows, and survives a damaged store", () =>
  withFolder(async (folder) => {
    const [path, cache] = [join(folder, "a.tar"), join(folder, "cache")];
    await Deno.writeTextFile(path, "one");
    const { ino, dev, size, mtime, ctime } = await Deno.stat(path);
    const seen = [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join(" ");
    const identity = async () => (await contentIdentity(path, [""], { cache })).digest;
    const honest = await identity();
    const { keep } = await contentIdentity(path, [""], { cache });
    await keep();
    const [{ name }] = [...Deno.readDirSync(cache)];
    // A hash that no content has shows that the store is used.
    const known = { "": { seen, sha256: "0".repeat(64) } };
    await Deno.writeTextFile(join(cache, name), JSON.stringify(known));
    assert.notEqual(await identity(), honest);
    await Deno.writeTextFile(join(cache, name), "{");
    assert.equal(await identity(), honest);
  }));
