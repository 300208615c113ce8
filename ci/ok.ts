/**
 * Runs the quality gates one after another and continues after a failure, so that one call shows all failures.
 * The last line counts gates and tests: `N passed, N failed`.
 *
 * `deno task ok`
 *
 * @module
 */

import { readWords } from "../harness/cli/arguments.ts";
import { runProgram } from "../harness/cli/programs.ts";

/** A quality gate: its name and the arguments for deno. */
interface Gate {
  readonly name: string;
  readonly args: readonly string[];
}

const GATES: readonly Gate[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "types", args: ["check"] },
  { name: "layers", args: ["task", "layers"] },
  { name: "package", args: ["publish", "--dry-run", "--allow-dirty", "--quiet"] },
  { name: "tests", args: ["task", "test"] },
  { name: "page", args: ["task", "page"] },
  { name: "fuzz", args: ["task", "test:fuzz", "--count", "200"] },
  { name: "slurm", args: ["task", "test:slurm"] },
];

/** Numbers of passed and failed tests. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** Sums the counts of tests over all summary lines in the output of `deno test`. */
export function countTests(output: string): Tally {
  let passed = 0;
  let failed = 0;
  // deno-lint-ignore no-control-regex -- terminal colours
  const plain = output.replaceAll(/\x1b\[[0-9;]*m/g, "");
  for (const match of plain.matchAll(/^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/gm)) {
    passed += Number(match[1]);
    failed += Number(match[2]);
  }
  return { passed, failed };
}

/** Runs a gate and shows its output; resolves to the output and whether the gate passed. */
async function runGate({ args }: Gate): Promise<{ success: boolean; output: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const copy = async (
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    target: { writeSync(bytes: Uint8Array): number },
  ) => {
    for await (const bytes of stream) {
      output += new TextDecoder().decode(bytes);
      for (let at = 0; at < bytes.length;) at += target.writeSync(bytes.subarray(at));
    }
  };
  await Promise.all([copy(child.stdout, Deno.stdout), copy(child.stderr, Deno.stderr)]);
  return { success: (await child.status).success, output };
}

const HELP = `Usage: deno task ok

Runs every quality gate, about ten minutes on 2 cores, and goes on after a failure. Exit code 1 if
one fails. Takes no options.

${GATES.map(({ name, args }) => `  ${name.padEnd(8)}deno ${args.join(" ")}`).join("\n")}
`;

async function main(): Promise<void> {
  readWords(HELP);
  const failures: string[] = [];
  let passed = 0;
  let failed = 0;
  for (const gate of GATES) {
    console.log(`\n== ${gate.name}: deno ${gate.args.join(" ")}`);
    const { success, output } = await runGate(gate);
    const tests = gate.name === "tests" ? countTests(output) : { passed: 0, failed: 0 };
    passed += tests.passed + (success ? 1 : 0);
    failed += tests.failed + (success ? 0 : 1);
    if (!success) failures.push(gate.name);
  }
  console.log(failures.length === 0 ? "\nAll gates passed" : `\nFailed: ${failures.join(", ")}`);
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) Deno.exitCode = 1;
}

if (import.meta.main) await runProgram(main);
