/**
 * `deno task test`: every test, or only those of the files and folders that are named.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { runProgram } from "../harness/cli/programs.ts";
import { userPath } from "../harness/core/project.ts";

const PERMISSIONS = [
  ...["--no-prompt", "--allow-read", "--allow-write", "--allow-ffi", "--allow-env"],
  ...["--allow-sys", "--allow-run", "--allow-net=127.0.0.1,localhost"],
];

/** A module whose documentation has code that runs as a test. */
const DOCUMENTED = ["--no-prompt", "--allow-env", "--doc", "harness/core/noise.ts"];

const HELP = `Usage: deno task test [FILE or FOLDER]... [options of deno test]

Runs every test, offline, about ten minutes on 2 cores; or only those in the files and folders that
are named. Options such as --filter TEXT go to deno test (deno test --help).`;

/** The calls of deno for the arguments `args`; paths are the user's. */
export function testCalls(args: readonly string[]): string[][] {
  const own = args.map((arg) =>
    !arg.startsWith("-") && existsSync(userPath(arg)) ? userPath(arg) : arg
  );
  const whole = [["test", ...PERMISSIONS, ...own]];
  return args.length > 0 ? whole : [...whole, ["test", ...DOCUMENTED]];
}

async function main(): Promise<void> {
  if (Deno.args.includes("--help")) return console.log(HELP);
  for (const args of testCalls(Deno.args)) {
    const { code } = await new Deno.Command(Deno.execPath(), { args }).spawn().status;
    if (code !== 0) Deno.exit(code);
  }
}

if (import.meta.main) await runProgram(main);
