/**
 * `deno task check:speed`: training steps beside ci/baselines/speed.json, as fractions of the matrix product's rate. It is
 * for people who change the engine, on a machine that does nothing else; CI does not run it.
 *
 * @module
 */
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { readOptions } from "../harness/cli/arguments.ts";
import { fail, runProgram } from "../harness/cli/programs.ts";
import { replaceFile } from "../harness/core/files.ts";
import {
  compareSpeed,
  SLOWER,
  type SpeedBaseline,
  type SpeedRow,
  type StepTimes,
} from "./speed_fractions.ts";

const BASELINE = fileURLToPath(new URL("./baselines/speed.json", import.meta.url));

const HELP = `Usage: deno task check:speed [options]

Times a training step of the methods of the baseline, with its options of bench:step, and compares its rate with ci/baselines/speed.json.
Rates are fractions of a matrix product's in the same process. Use a machine that does nothing else.

  --methods LIST  comma-separated; default those of the baseline
  --update        overwrite the baseline with the current values

Exit code: 0 if no method is slower than ${SLOWER} times the baseline, 1 if one is, 2 for wrong input.`;

if (import.meta.main) await runProgram(main);

async function main(): Promise<void> {
  const { methods, update } = readOptions(HELP, {
    methods: { type: "string" },
    update: { type: "boolean", default: false },
  });
  const baseline: SpeedBaseline = JSON.parse(await Deno.readTextFile(BASELINE));
  const names = methods ?? Object.keys(baseline.fractions).join();
  const times = await measure([...baseline.options, `--methods=${names}`]);
  const rows = compareSpeed(times, baseline);
  console.log(format(rows));
  if (update) return await overwrite(baseline, rows);
  const slower = rows.filter(({ isSlower }) => isSlower).map(({ method }) => method);
  if (slower.length > 0) {
    fail(
      `Slower than ${SLOWER} times the baseline of ${baseline.machine}: ${slower.join(", ")}`,
      1,
    );
  }
}

/** Measures steps in a child process. */
async function measure(options: readonly string[]): Promise<StepTimes[]> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "bench:step", "--json", ...options],
    stderr: "inherit",
  }).output();
  if (code !== 0) fail("bench:step failed: see its message above", code);
  return new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
}

function format(rows: readonly SpeedRow[]): string {
  return [
    "| method | fraction | baseline | ratio |",
    "|---|---|---|---|",
    ...rows.map(({ method, fraction, baseline, isSlower }) => {
      const cells = baseline === undefined
        ? ["–", "–"]
        : [baseline.toFixed(2), `${(fraction / baseline).toFixed(2)}${isSlower ? " slower" : ""}`];
      return `| ${[method, fraction.toFixed(2), ...cells].join(" | ")} |`;
    }),
  ].join("\n");
}

async function overwrite(baseline: SpeedBaseline, rows: readonly SpeedRow[]): Promise<void> {
  const measured = rows.map(({ method, fraction }) => [method, Number(fraction.toFixed(3))]);
  const updated: SpeedBaseline = {
    machine: `${cpus()[0].model}, ${cpus().length} cores`,
    options: baseline.options,
    fractions: { ...baseline.fractions, ...Object.fromEntries(measured) },
  };
  await replaceFile(BASELINE, `${JSON.stringify(updated, null, 2)}\n`);
}
