/** Executes the program of docs/library.md with the library of this project: a wrong sampler fails, its correction passes. */
import assert from "node:assert/strict";
import { projectPath } from "../harness/core/project.ts";
import { withTempDir } from "../harness/testing/temp_dir.ts";
import { programOf } from "./npm_check.ts";

/** Runs `program` in a folder of its own; resolves to its lines. */
function linesOf(program: string): Promise<string[]> {
  return withTempDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/check.ts`, program);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ["run", "--no-prompt", "--quiet", `--config=${projectPath("deno.json")}`],
        ["--allow-read", "--allow-ffi", "--allow-env", "--allow-sys", `${dir}/check.ts`],
      ].flat(),
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trim().split("\n");
  });
}

Deno.test("the program of docs/library.md catches its wrong sampler and passes the corrected one", async () => {
  const program = await programOf();
  assert.ok(program.trim().split("\n").length <= 13, "twelve lines and an empty one");
  const wrong = await linesOf(program);
  assert.ok(wrong.includes("fail moments") && wrong.includes("fail marginals"), wrong.join());
  const right = program.replace(
    /^const places = .*$/m,
    `const places: number[][] = [];
while (places.length < size.chains * size.count) {
  const [r, a] = place();
  if (6 * random() < r) places.push([r, a]);
}`,
  );
  assert.notEqual(right, program);
  const lines = await linesOf(right);
  assert.ok(lines.length >= 5 && lines.every((line) => line.startsWith("pass ")), lines.join());
});

Deno.test("package exports and the import map name the same modules", async () => {
  const { exports, imports } = JSON.parse(await Deno.readTextFile(projectPath("deno.json"))) as {
    readonly exports: Readonly<Record<string, string>>;
    readonly imports: Readonly<Record<string, string>>;
  };
  const own = Object.entries(imports).filter(([name]) => /^laebench(\/|$)/.test(name));
  assert.deepEqual(
    Object.fromEntries(own.map(([name, file]) => [name.replace(/^laebench/, "."), file])),
    exports,
  );
});
