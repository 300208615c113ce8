import assert from "node:assert/strict";
import { withTempDir } from "../testing/temp_dir.ts";
import { removeTemporary, replaceFile } from "./files.ts";

Deno.test("replaceFile() lets writers of one path succeed at the same time, each file whole", () =>
  withTempDir(async (dir) => {
    const texts = Array.from({ length: 12 }, (_, i) => `${i}`.repeat(100_000));
    await Promise.all(texts.map((text) => replaceFile(`${dir}/table.md`, text)));
    assert.ok(texts.includes(await Deno.readTextFile(`${dir}/table.md`)));
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), ["table.md"]);
  }));

Deno.test("replaceFile() removes its temporary file after a failure", () =>
  withTempDir(async (dir) => {
    await Deno.mkdir(`${dir}/folder/inside`, { recursive: true });
    await assert.rejects(replaceFile(`${dir}/folder`, "text"));
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), ["folder"]);
  }));

Deno.test("removeTemporary() removes abandoned temporary files, and no others", () =>
  withTempDir(async (dir) => {
    const names = ["a.json.0123abcd.part", "b.part", "c.json"];
    for (const name of names) await Deno.writeTextFile(`${dir}/${name}`, "");
    const left = () => [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
    await Deno.utime(`${dir}/b.part`, 0, 0);
    await removeTemporary(dir);
    assert.deepEqual(left(), ["a.json.0123abcd.part", "c.json"]);
    await removeTemporary(dir, { all: true });
    assert.deepEqual(left(), ["c.json"]);
  }));
