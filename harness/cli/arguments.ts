import { parseArgs, type ParseArgsConfig } from "node:util";
import { parseCount, parseNames, parseSeeds, UsageError } from "../core/arguments.ts";
import { fail } from "./programs.ts";

/** Parses the options in `args`, the command line by default; on an error, ends the program with one line and exit code 2. */
export function readOptions<T extends NonNullable<ParseArgsConfig["options"]>>(
  options: T,
  args?: readonly string[],
) {
  try {
    return parseArgs({ options, ...args && { args: [...args] } }).values;
  } catch (error) {
    return fail(`${(error as Error).message.split(". ")[0]}: --help lists the options`, 2);
  }
}

/** The words of a command line that takes no options but --help, which prints `help` and ends the program. */
export function readWords(help: string): string[] {
  try {
    const { values, positionals } = parseArgs({
      options: { help: { type: "boolean" } },
      allowPositionals: true,
    });
    if (!values.help) return positionals;
  } catch (error) {
    return fail(`${(error as Error).message.split(". ")[0]}: --help says what it takes`, 2);
  }
  console.log(help);
  Deno.exit(0);
}

/** Parses `a,b` to names of `list.known`; ends the program likewise on an error. */
export function readNames(text: string, list: Parameters<typeof parseNames>[1]): string[] {
  return orFail(() => parseNames(text, list));
}

/** Parses options that are integers >= 1, by name; ends the program likewise on an error. */
export function readCounts<K extends string>(options: Readonly<Record<K, string>>) {
  const counts = Object.entries<string>(options).map(([name, text]) =>
    [name, orFail(() => parseCount(text, `--${name}`))] as const
  );
  return Object.fromEntries(counts) as Readonly<Record<K, number>>;
}

/** Parses seeds such as `0..2`; ends the program likewise on an error. */
export function readSeeds(text: string): number[] {
  return orFail(() => parseSeeds(text));
}

function orFail<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UsageError) fail(error.message, 2);
    throw error;
  }
}
