/**
 * Executes docs/extending.md: copies the project into a temporary folder, writes the page's files, adds its lines to the
 * tables and runs its commands.
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { projectPath } from "../harness/core/project.ts";
import { RUN_RECORD } from "../harness/experiment/record_schema.ts";
import { withTempDir } from "../harness/testing/temp_dir.ts";

/** A code block of the page; `mark` is the comment before it: `file: PATH`, `line: PATH`, or nothing. */
interface Block {
  readonly mark: string;
  readonly language: string;
  readonly text: string;
}

/** The code blocks of a Markdown page, in order. */
function blocksOf(page: string): Block[] {
  return [...page.matchAll(/(?:<!-- ([a-z]+: \S+) -->\n\n)?```(\w+)\n([\s\S]*?)```/g)]
    .map(([, mark = "", language, text]) => ({ mark, language, text }));
}

/** Adds an import after the last one of `table` and an entry at the end of its exported object. */
function addLine(table: string, lines: string): string {
  const [statement, entry] = lines.trim().split("\n");
  const lastImport = table.lastIndexOf("\nimport ");
  const afterImports = table.indexOf(";\n", lastImport) + 2;
  const object = table.search(/^export const \w+: Readonly<Record<string, \w+>> = \{$/m);
  const end = table.indexOf("\n};", object);
  assert.ok(lastImport >= 0 && object >= 0 && end >= 0, "the table is an object literal");
  return [
    table.slice(0, afterImports),
    `${statement}\n`,
    table.slice(afterImports, end),
    `\n  ${entry}`,
    table.slice(end),
  ].join("");
}

/** Copies the files that the project needs to run, and installs its packages from the cache. */
async function copyProject(to: string): Promise<void> {
  const copy = async (path: string): Promise<void> => {
    const { isDirectory } = await Deno.stat(projectPath(path));
    if (!isDirectory) return await Deno.copyFile(projectPath(path), `${to}/${path}`);
    await Deno.mkdir(`${to}/${path}`, { recursive: true });
    for await (const { name } of Deno.readDir(projectPath(path))) await copy(`${path}/${name}`);
  };
  const parts = ["deno.json", "deno.lock", "harness", "methods", "datasets", "reports", "fixtures"];
  for (const part of [...parts, "ci"]) await copy(part);
  await run(to, ["install", "--quiet"]);
}

/** Runs deno in `dir` and returns its output; fails the test if deno fails. */
async function run(dir: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: dir,
    env: { NO_COLOR: "1", INIT_CWD: dir },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const output = decode(stdout) + decode(stderr);
  assert.equal(code, 0, `deno ${args.join(" ")}\n${output}`);
  return output;
}

/** Options that make the page's slow commands small, since the test only checks that they run. */
const SMALLER: Readonly<Record<string, string>> = {
  "task bench toy": "",
  "task bench": "--epochs 2 --samples 50",
  "task bench:step": "--size 8 --batch 4 --steps 1 --product 128",
};

Deno.test("the files, lines and commands of docs/extending.md work in a copy of the project", () =>
  withTempDir(async (root) => {
    const dir = `${root}/laebench`;
    await Deno.mkdir(dir);
    await copyProject(dir);
    const page = await Deno.readTextFile(projectPath("docs/extending.md"));
    const written: string[] = [];
    let commands = 0;
    for (const { mark, language, text } of blocksOf(page)) {
      const [kind, path] = mark.split(": ");
      if (kind === "file") {
        await Deno.mkdir(dirname(`${dir}/${path}`), { recursive: true });
        await Deno.writeTextFile(`${dir}/${path}`, text);
        written.push(path);
      } else if (kind === "line") {
        const table = await Deno.readTextFile(`${dir}/${path}`);
        await Deno.writeTextFile(`${dir}/${path}`, addLine(table, text));
      } else if (language === "sh" && !/\b[A-Z]{3,}\b/.test(text)) { // a command with a NAME in capitals is a template
        for (const line of text.trim().split("\n")) {
          const [, ...args] = line.split(/\s+/);
          const command = [3, 2].map((words) => args.slice(0, words).join(" "));
          const small = SMALLER[command[0]] ?? SMALLER[command[1]] ?? "";
          const extra = small.split(" ").filter((option) => option !== "");
          const output = await run(dir, [
            ...args,
            ...extra.filter((_, i) => !args.includes(extra[i & ~1])),
          ]);
          if (args[1] === "conform") assert.match(output, /\n[1-9]\d passed, 0 failed/);
          if (args[0] === "test") assert.match(output, /ok \| [1-9]\d* passed/, line);
          if (line.includes("bench:step")) assert.match(output, /\| Pixel EBM \| [^|]+ \| – \|/);
          commands++;
        }
      }
    }
    assert.ok(
      written.length >= 3 && commands >= 5,
      `${written.length} files, ${commands} commands`,
    );
    await run(dir, ["check", "--config", "deno.json", ...written]);
    await run(dir, ["fmt", "--check", "--config", "deno.json", ...written]);
    await run(dir, ["lint", "--config", "deno.json", ...written]);
    await run(dir, ["task", "layers"]);

    const lastRecord = async (folder: string) => {
      const text = await Deno.readTextFile(`${dir}/runs/${folder}/results.jsonl`);
      const record = RUN_RECORD.parse(JSON.parse(text.trimEnd().split("\n").at(-1) ?? ""));
      assert.equal(record.status, "completed", folder);
      return record;
    };
    const ebm = await lastRecord("pixel_ebm");
    assert.ok(
      !("reconstructionError" in ebm),
      "a model without latents has no reconstruction error",
    );
    const table = await Deno.readTextFile(`${dir}/runs/pixel_ebm/table.md`);
    assert.match(table, /Pixel EBM/);
    const own = await lastRecord("mine");
    assert.deepEqual(Object.keys(own.spec.modules ?? {}), ["method", "dataset"]);
    assert.equal((await lastRecord("stripes")).spec.dataset, "stripes");
    const { spec } = await lastRecord("brightness");
    assert.deepEqual(spec.metrics, ["brightness"]);
  }));
