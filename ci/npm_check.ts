/**
 * Packs the npm package, installs it in an empty folder, checks the types of the program of docs/library.md there, and runs
 * it from Deno and from Node: its wrong sampler must be caught. Needs npm and its registry.
 *
 * `deno task npm:check`
 *
 * @module
 */
import { readWords } from "../harness/cli/arguments.ts";
import { fail } from "../harness/cli/programs.ts";
import { projectPath } from "../harness/core/project.ts";

/** The program of docs/library.md. */
export async function programOf(): Promise<string> {
  const page = await Deno.readTextFile(projectPath("docs/library.md"));
  const program = /<!-- file: check\.ts -->\n\n```ts\n([\s\S]*?)```/.exec(page)?.[1];
  if (program === undefined) throw new Error("docs/library.md has no program check.ts");
  return program;
}

/** The first Node that runs TypeScript and imports WebAssembly. */
const NODE = "24.5.0";

const HELP = `Usage: deno task npm:check

Packs the npm package, installs it in an empty folder, and runs the program of docs/library.md there from
Deno and from Node ${NODE} or newer (from npm, where the installed one is older). Takes no options.
`;

async function npmCheck(): Promise<void> {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  try {
    const deno = Deno.execPath();
    console.error("Packing");
    await run(
      deno,
      ["task", "npm:pack", "--quiet", "--output", `${dir}/laebench.tgz`],
      projectPath("."),
    );
    await Deno.writeTextFile(`${dir}/check.ts`, await programOf());
    await Deno.writeTextFile(`${dir}/package.json`, `{ "type": "module" }\n`);
    console.error("Installing, a minute or two");
    await run(
      "npm",
      [
        ["install", "--ignore-scripts", "--no-audit", "--no-fund"],
        ["laebench@file:laebench.tgz"],
      ].flat(),
      dir,
    );
    console.error("Checking the types, then running the program");
    await run(deno, ["check", "check.ts"], dir);
    const allowed = ["--allow-read", "--allow-ffi", "--allow-env", "--allow-sys"];
    await expectFailures(
      "Deno",
      await run(deno, ["run", "--no-prompt", ...allowed, "check.ts"], dir),
    );
    const [node, ...args] = await nodeCommand();
    await expectFailures("Node", await run(node, [...args, "check.ts"], dir));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Node in the path if it is new enough, else one from npm. */
async function nodeCommand(): Promise<readonly string[]> {
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(await run("node", ["--version"], ".")) ?? [];
  const [newMajor, newMinor] = NODE.split(".").map(Number);
  const isNew = Number(major) > newMajor || Number(major) === newMajor && Number(minor) >= newMinor;
  return isNew ? ["node"] : ["npx", "--yes", `node@${newMajor}`];
}

function expectFailures(where: string, output: string): void {
  for (const line of ["fail moments", "fail marginals"]) {
    if (!output.includes(line)) fail(`From ${where} the program prints no "${line}": ${output}`, 1);
  }
  console.log(`${where}: the wrong sampler is caught`);
}

/** Runs a program; ends this one with its output if it fails. */
async function run(path: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(path, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code !== 0) fail(`${path} ${args.join(" ")} failed: ${decode(stderr) || decode(stdout)}`, 1);
  return decode(stdout);
}

if (import.meta.main) {
  readWords(HELP);
  await npmCheck();
}
