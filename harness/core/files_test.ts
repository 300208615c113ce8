import assert from "node:assert/strict";
import { withTempDir } from "../testing/temp_dir.ts";
import {
  checkWritable,
  makeOutputFolder,
  removeTemporary,
  replaceFile,
  systemReason,
} from "./files.ts";

const names = (dir: string) => [...Deno.readDirSync(dir)].map(({ name }) => name).sort();

Deno.test("replaceFile() lets writers of one path succeed at the same time, each file whole", () =>
  withTempDir(async (dir) => {
    const texts = Array.from({ length: 12 }, (_, i) => `${i}`.repeat(100_000));
    await Promise.all(texts.map((text) => replaceFile(`${dir}/table.md`, text)));
    assert.ok(texts.includes(await Deno.readTextFile(`${dir}/table.md`)));
    assert.deepEqual(names(dir), ["table.md"]);
  }));

Deno.test("replaceFile() removes its temporary file after a failure", () =>
  withTempDir(async (dir) => {
    await Deno.mkdir(`${dir}/folder/inside`, { recursive: true });
    await assert.rejects(replaceFile(`${dir}/folder`, "text"));
    assert.deepEqual(names(dir), ["folder"]);
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

Deno.test("makeOutputFolder() creates the folder and leaves nothing in it, or says what to do", () =>
  withTempDir(async (dir) => {
    await makeOutputFolder(`${dir}/a/b`);
    await makeOutputFolder(`${dir}/a/b`);
    assert.deepEqual(names(`${dir}/a/b`), []);
    await Deno.writeTextFile(`${dir}/file`, "");
    await assert.rejects(
      makeOutputFolder(`${dir}/file/x`),
      /^Error: Cannot write into the folder .*\/file\/x \([^()]+\): name another one with --out$/,
    );
  }));

Deno.test("checkWritable() leaves no file, keeps an old one, and refuses folders and missing ones", () =>
  withTempDir(async (dir) => {
    await checkWritable(`${dir}/new.npz`);
    await Deno.writeTextFile(`${dir}/old.npz`, "old");
    await checkWritable(`${dir}/old.npz`);
    assert.deepEqual(names(dir), ["old.npz"]);
    assert.equal(await Deno.readTextFile(`${dir}/old.npz`), "old");
    await assert.rejects(checkWritable(dir), /is a folder: name a file in it$/);
    await assert.rejects(checkWritable(`${dir}/no/a.npz`), /no\/a\.npz does not exist: create it/);
  }));

Deno.test("systemReason() is in words, without Deno's remedies", () => {
  const cases = {
    "Permission denied (os error 13): mkdir '/x'": "permission denied",
    'Requires all access to "/proc/x", run again with the --allow-all flag':
      "the system keeps programs out of it",
  };
  for (const [message, reason] of Object.entries(cases)) {
    assert.equal(systemReason(new Error(message)), reason);
  }
});
