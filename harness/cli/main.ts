/**
 * The command line.
 *
 * @module
 */
import { Command, CommanderError } from "commander";
import { UsageError } from "../core/arguments.ts";
import { exitCodeOf, FAILED, MISUSED } from "../core/exit_codes.ts";
import { plainText } from "../core/plain_text.ts";
import { projectVersion } from "../core/project.ts";
import { openDevice } from "../engine/device.ts";
import { parseSpec } from "../experiment/record_schema.ts";
import { measurePace } from "../run/probe.ts";
import { checkValues } from "./arguments.ts";
import { benchCommand } from "./bench.ts";
import { statusCommand } from "./cluster.ts";
import { conformCommand } from "./conform.ts";
import { likelihoodCommand } from "./likelihood.ts";
import { errorLine } from "./programs.ts";
import { collectCommand, reportCommand } from "./report.ts";
import { runCommand } from "./run_command.ts";
import { entriesOf, tablesOf } from "./tables.ts";
import { tuneCommand } from "./tune.ts";
import { writeReports } from "./write_reports.ts";

function createProgram(): Command {
  const program = new Command("deno task")
    .enablePositionalOptions() // options after a command belong to that command
    .description("Trains Langevin autoencoders and their rivals, and tabulates the results.");
  program.addCommand(benchCommand());
  program.addCommand(reportCommand());
  program.addCommand(collectCommand());
  program.addCommand(statusCommand());
  program.addCommand(likelihoodCommand({ tablesOf, publish: writeReports }));
  program.addCommand(tuneCommand((interrupted) => {
    Deno.exitCode = exitCodeOf(interrupted) ?? 0;
  }));
  program.addCommand(conformCommand((passed) => {
    Deno.exitCode = passed ? 0 : FAILED;
  }));
  program.addCommand(runCommand(entriesOf));

  // Commands that other processes of the harness start.
  program.command("probe", { hidden: true })
    .description("print the pace of a run as JSON")
    .argument("<spec>", "a run spec as JSON")
    .action(probeAction);
  program.command("device", { hidden: true })
    .description("open and close a device, and print the number of GPUs that it found")
    .argument("<name>", "as for --device")
    .action(async (name: string) => {
      await using device = await openDevice(name, { threads: 1 });
      console.log(device.gpuCount ?? 0);
    });
  const version = `laebench ${projectVersion()}`;
  for (const command of [program, ...program.commands]) {
    command.version(version, "--version", "print the version");
  }
  return program;
}

async function probeAction(text: string): Promise<void> {
  const start = performance.now();
  const spec = parseSpec(text, "The argument");
  await using device = await openDevice(spec.device, { threads: spec.threads });
  const pace = await measurePace(spec, { ...await entriesOf(spec), device });
  console.log(JSON.stringify({ ...pace, seconds: (performance.now() - start) / 1000 }));
}

/** Executes the command line `args`. Every error is one line on standard error and an exit code. */
async function main(args: readonly string[]): Promise<void> {
  const program = createProgram();
  const silence = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => {} });
    command.commands.forEach(silence);
  };
  silence(program);
  checkValues(program);
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return; // help was printed
    console.error(plainText(errorLine(error).replace(/^error: /, "")));
    const misused = error instanceof CommanderError || error instanceof UsageError;
    Deno.exitCode = misused ? MISUSED : FAILED;
  }
}

if (import.meta.main) await main(Deno.args);
