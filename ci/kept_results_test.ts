import assert from "node:assert/strict";
import { withTempDir } from "../harness/testing/temp_dir.ts";
import { openKeptResults } from "./kept_results.ts";

Deno.test("openKeptResults() finds what the same code kept, and nothing of other code or of a torn file", () =>
  withTempDir(async (root) => {
    const dir = `${root}/power`;
    const open = (code: string, force = false) => openKeptResults<number>(dir, { code, force });
    const first = await open("a");
    assert.equal(first.get("x"), undefined);
    await first.add("x", 1);
    await first.add("y", 2);
    const again = await open("a");
    assert.deepEqual([again.count, again.get("x"), again.get("y")], [2, 1, 2]);
    assert.equal((await open("a", true)).count, 0);
    const other = await open("b");
    assert.equal(other.count, 0);
    await other.add("z", 3);
    assert.equal((await open("a")).count, 0, "the file holds the results of one code");
    await Deno.writeTextFile(`${dir}/results.json`, '{"code":"b","res');
    assert.equal((await open("b")).count, 0);
  }));
