/** `deno task data`: installs data sets into the data folder. @module */
import { Command, CommanderError } from "commander";
import { UsageError } from "../core/arguments.ts";
import { checkValues } from "./arguments.ts";
import { dataFolder } from "../core/cache_folder.ts";
import { plainText } from "../core/plain_text.ts";
import { userPath } from "../core/project.ts";
import { findInstaller, INSTALLERS, megabytes } from "../../datasets/install.ts";

/** Exit codes for failed work and for wrong arguments. */
const FAILED = 1;
const MISUSED = 2;

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Runs the command line `args`; resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const command = new Command("deno task data")
    .description(
      "Download data sets, check them and decode them into the data folder ($LAEBENCH_DATA, else the platform's cache folder)",
    )
    .argument("[names...]", `data sets: ${INSTALLERS.map(({ name }) => name).join(", ")}`)
    .option(
      "--from <path>",
      "use the published files in this folder, file or archive instead of downloading them",
    )
    .option("--list", "list installed and missing data sets with sizes, sources and licences")
    .exitOverride().configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "")),
    });
  checkValues(command);
  try {
    command.parse(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSED;
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return MISUSED;
  }
  const { from, list } = command.opts<{ from?: string; list?: true }>();
  try {
    if (list) return await printList();
    if (command.args.length === 0) throw new RangeError("Name a data set: --list shows them");
    const installers = command.args.map(findInstaller);
    if (from !== undefined && installers.length > 1) {
      throw new RangeError("--from takes one data set: run the command once for each");
    }
    for (const installer of installers) {
      if (from === undefined && await installer.isInstalled()) {
        console.log(`${installer.name}: already installed`);
        continue;
      }
      await installer.install({
        from: from && userPath(from),
        log: console.log,
        onProgress: progressPrinter(),
      });
    }
    return 0;
  } catch (error) {
    console.error(plainText(error instanceof Error ? error.message : String(error)));
    return error instanceof RangeError ? MISUSED : FAILED;
  }
}

async function printList(): Promise<number> {
  console.log(`Data folder: ${dataFolder()}`);
  for (const { name, bytes, images, source, isInstalled } of INSTALLERS) {
    const state = await isInstalled() ? "installed" : "missing  ";
    const size = bytes === null ? "no download available" : `${megabytes(bytes)} to download`;
    console.log(`${name.padEnd(14)} ${state}  ${images} images, ${size}`);
    console.log(`${" ".repeat(15)}${source}`);
  }
  return 0;
}

/** Makes a callback that prints each percent on one line of a terminal, or each 10 % on a new line elsewhere. */
function progressPrinter(): (what: string, done: number, total: number) => void {
  const terminal = Deno.stderr.isTerminal();
  const parts = terminal ? 100 : 10;
  let shown = "";
  return (what, done, total) => {
    const text = `${what} ${Math.floor(parts * done / total) * (100 / parts)} %`;
    if (text === shown) return;
    shown = text;
    const end = terminal ? (done === total ? "\n" : "\r") : "\n";
    Deno.stderr.writeSync(new TextEncoder().encode(`${text}${end}`));
  };
}
