/** Checks every task of deno.json: it is in `deno task help`, and its command line is read by the one mechanism. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { TASKS_HELP } from "../harness/cli/help.ts";
import { projectPath } from "../harness/core/project.ts";
import { withTempDir } from "../harness/testing/temp_dir.ts";
import { testCalls } from "./run_tests.ts";

const read = (path: string) => readFileSync(projectPath(path), "utf8");
const TASKS: Readonly<Record<string, { readonly command: string }>> =
  JSON.parse(read("deno.json")).tasks;

Deno.test("deno task help names every task, in a screenful", () => {
  const words = TASKS_HELP.split(/[\s,]+/);
  for (const name of Object.keys(TASKS)) assert.ok(words.includes(name), `${name} is missing`);
  const lines = TASKS_HELP.split("\n").filter((line) => line !== "");
  assert.ok(lines.length <= 17, `${lines.length} lines`);
  for (const line of lines) assert.ok(line.length <= 110, line);
});

/** Tasks whose options are another program's. */
const FOREIGN = /npm:assemblyscript|ci\/run_tests\.ts|^deno (test|pack) /;

Deno.test("every task reads its command line by readOptions, readWords or commander with checkValues", () => {
  for (const [name, { command }] of Object.entries(TASKS)) {
    if (FOREIGN.test(command) || command.startsWith("deno task ")) continue;
    const file = /[\w/]+\.ts/.exec(command)?.[0];
    assert.ok(file, `${name} runs no file: ${command}`);
    assert.match(read(file), /\b(readOptions|readWords|checkValues)\(/, `${name}: ${file}`);
  }
});

Deno.test("deno task test FILE runs only the file, from the user's folder; without one, everything", () =>
  withTempDir((dir) => {
    const before = Deno.env.get("INIT_CWD");
    Deno.env.set("INIT_CWD", dir);
    try {
      Deno.writeTextFileSync(`${dir}/a_test.ts`, "");
      const [only, ...rest] = testCalls(["a_test.ts", "--filter", "some text"]);
      assert.deepEqual(rest, []);
      assert.deepEqual(only.slice(-3), [`${dir}/a_test.ts`, "--filter", "some text"]);
      const all = testCalls([]);
      assert.equal(all.length, 2);
      assert.ok(all[0].every((arg) => arg === "test" || arg.startsWith("--")));
    } finally {
      if (before === undefined) Deno.env.delete("INIT_CWD");
      else Deno.env.set("INIT_CWD", before);
    }
    return Promise.resolve();
  }));
