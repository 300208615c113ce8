/** Tests the cache of compiled programs with a fake compiler; pjrt_test.ts tests it with XLA. */
import assert from "node:assert/strict";
import { projectPath } from "../../core/project.ts";
import { withTempDir } from "../../testing/temp_dir.ts";
import { cachedCompile, type Compilation, type Compiler } from "./pjrt_cache.ts";
import type { Executable } from "./pjrt_client.ts";

/** A compiler whose executables are the program's bytes, and which records what it compiles. */
function createCompiler(): Compiler & { readonly compiled: string[] } {
  const compiled: string[] = [];
  const executable = (text: string): Executable => ({
    run: () => [],
    optimized: () => new TextEncoder().encode(text),
    serialize: () => new TextEncoder().encode(text),
    [Symbol.dispose]: () => {},
  });
  return {
    compiled,
    plugin: { path: projectPath("deno.json"), version: "0.57" },
    platform: "test",
    platformVersion: "1",
    kind: "none",
    compile(text) {
      compiled.push(text);
      return Promise.resolve(executable(text));
    },
    load: (bytes) => Promise.resolve(executable(new TextDecoder().decode(bytes))),
  };
}

const SIGNATURE = { results: [], donated: [] };
const DIGEST = 32;

/** The text of a program of 68 bytes, which takes 100 bytes on disk with its digest. */
const programOf = (name: string) => name.padEnd(100 - DIGEST, ".");

/** Ages the files of `folder` by a day, so that files used from now on are newer. */
function age(folder: string): void {
  for (const { name } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    const used = new Date((Deno.statSync(path).mtime?.getTime() ?? 0) - 86_400_000);
    Deno.utimeSync(path, used, used);
  }
}

Deno.test("cachedCompile() keeps the most recently used programs within its limit", () =>
  withTempDir(async (folder) => {
    const compiler = createCompiler();
    const compile = async (name: string, change: Partial<Compilation> = {}) => {
      const text = programOf(name);
      const options = { signature: SIGNATURE, flags: {}, folder, limit: 350, ...change };
      const { optimized } = await cachedCompile(compiler, { text, ...options });
      assert.equal(new TextDecoder().decode(optimized()), text);
      age(folder);
    };
    for (const name of ["a", "b", "c", "a", "d"]) await compile(name); // d exceeds the limit: b is removed
    for (const name of ["a", "c", "d"]) await compile(name);
    assert.deepEqual(compiler.compiled.map((text) => text[0]), ["a", "b", "c", "d"]);
    await compile("b"); // a is removed
    await compile("c");
    await compile("a");
    assert.deepEqual(compiler.compiled.map((text) => text[0]), ["a", "b", "c", "d", "b", "a"]);
    await compile("e", { limit: 10 });
    assert.equal([...Deno.readDirSync(folder)].length, 1, "the newest program stays");
  }));

Deno.test("cachedCompile() removes temporary files of dead processes, and no other files", () =>
  withTempDir(async (folder) => {
    const torn = `${folder}/${"0f".repeat(32)}.bin.${crypto.randomUUID()}`;
    await Deno.writeFile(torn, new Uint8Array(1000));
    await Deno.writeFile(`${folder}/mine.bin`, new Uint8Array(1000));
    age(folder);
    const options = { signature: SIGNATURE, flags: {}, folder, limit: 350 };
    await cachedCompile(createCompiler(), { text: programOf("a"), ...options });
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assert.equal(names.length, 2);
    assert.match(names[0], /^[0-9a-f]{64}\.bin$/);
    assert.equal(names[1], "mine.bin");
  }));

Deno.test("cachedCompile() serves concurrent callers within the limit", () =>
  withTempDir(async (folder) => {
    const options = { signature: SIGNATURE, flags: {}, folder, limit: 250 };
    const names = Array.from({ length: 60 }, (_, i) => "abcdef"[i % 6]);
    const compilers = Array.from({ length: 4 }, createCompiler);
    await Promise.all(compilers.map(async (compiler) => {
      for (const name of names) {
        const { optimized } = await cachedCompile(compiler, { text: programOf(name), ...options });
        assert.equal(new TextDecoder().decode(optimized()), programOf(name));
      }
    }));
    const bytes = [...Deno.readDirSync(folder)]
      .reduce((sum, { name }) => sum + Deno.statSync(`${folder}/${name}`).size, 0);
    assert.ok(bytes <= 250, `${bytes} bytes`);
  }));
