import assert from "node:assert/strict";
import { openModuleGraph } from "./module_graph.ts";
import { projectPath } from "./project.ts";

const FILES = {
  "deno.json": `{ "imports": { "sharp": "npm:sharp@1.2.3" } }`,
  "mod.ts":
    `import { one } from "./one.ts";\nimport { two } from "./two.ts";\nimport { MORE } from "./more.ts";\n` +
    `export const TABLE = { one, deux: two(1), ...MORE };\nconst local = 1;\nexport const OTHER = { local };\n`,
  "one.ts":
    `import sharp from "sharp";\nimport type { T } from "./types.ts";\nimport { part } from "./part.ts";\n` +
    `export const one: T = part(sharp);\n`,
  "two.ts": `export const two = async (x: number) => (await import("./far.ts")).far + x;\n`,
  "part.ts": `export const part = (x: unknown): unknown => x;\n` +
    `new URL("./data.bin", import.meta.url);\nnew URL(part(1) ? "./a.js" : "./worker.ts", import.meta.url);\n`,
  "more.ts": `enum A { B }\nexport const MORE = { three: A.B };\n`,
  "far.ts": `export const far = 1;\n`,
  "worker.ts": `export const worker = 1;\n`,
  "types.ts": `export type T = unknown;\n`,
  "data.bin": "bytes",
};

async function project(changed: Partial<typeof FILES> = {}): Promise<string> {
  const root = await Deno.makeTempDir();
  for (const [name, text] of Object.entries({ ...FILES, ...changed })) {
    await Deno.writeTextFile(`${root}/${name}`, text);
  }
  return root;
}

async function reach(entry: string, changed: Partial<typeof FILES> = {}) {
  const root = await project(changed);
  try {
    return await openModuleGraph(root).reach([entry]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("reach() follows imports, URLs of files and packages, but not types", async () => {
  assert.deepEqual(Object.keys(await reach("one.ts")), [
    "data.bin",
    "npm:sharp@1.2.3",
    "one.ts",
    "part.ts",
    "worker.ts",
  ]);
});

Deno.test("reach() hashes what runs: a change of code or data counts, one of comments, types and spaces does not", async () => {
  const before = await reach("one.ts");
  const comment = `/** Doc. */\n${
    FILES["part.ts"].replace("(x: unknown)", "( x : string )")
  }// end\n`;
  assert.deepEqual(await reach("one.ts", { "part.ts": comment }), before);
  const code = FILES["part.ts"].replace("=> x", "=> -(x as number)");
  assert.notEqual((await reach("one.ts", { "part.ts": code }))["part.ts"], before["part.ts"]);
  const data = await reach("one.ts", { "data.bin": "other" });
  assert.notEqual(data["data.bin"], before["data.bin"]);
  assert.equal(data["part.ts"], before["part.ts"]);
});

Deno.test("reach() follows dynamic imports of the entries only if asked to", async () => {
  const root = await project();
  const graph = openModuleGraph(root);
  assert.deepEqual(Object.keys(await graph.reach(["two.ts"])), ["far.ts", "two.ts"]);
  assert.deepEqual(Object.keys(await graph.reach(["two.ts"], { dynamic: false })), ["two.ts"]);
  await Deno.remove(root, { recursive: true });
});

Deno.test("filesOfEntry() finds the file behind a name, a call, a spread; the table itself otherwise", async () => {
  const root = await project();
  const graph = openModuleGraph(root);
  assert.deepEqual(await graph.filesOfEntry("mod.ts", "one"), ["one.ts"]);
  assert.deepEqual(await graph.filesOfEntry("mod.ts", "deux"), ["two.ts"]);
  assert.deepEqual(await graph.filesOfEntry("mod.ts", "three"), ["more.ts"]);
  assert.deepEqual(await graph.filesOfEntry("mod.ts", "local"), ["mod.ts"]);
  await Deno.remove(root, { recursive: true });
});

Deno.test("reach() reads every module of this project that a run may execute", async () => {
  const graph = openModuleGraph(projectPath("."));
  const all = await graph.reach(["harness/cli/main.ts"]);
  assert.ok("harness/engine/xla/pjrt_cuda.ts" in all, "a module that is imported dynamically");
  assert.ok("harness/core/noise_kernel.wasm" in all, "WebAssembly");
  assert.ok("harness/engine/onnx/ort_worker.ts" in all, "the module of a worker");
});
