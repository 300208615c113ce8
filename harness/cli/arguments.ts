import { parseArgs, type ParseArgsConfig } from "node:util";
import { parseCount, parseNames, parseSeeds, UsageError } from "../core/arguments.ts";
import { fail } from "./programs.ts";

/** The options of the command line; wrong ones end the program with one line and exit code 2. */
export function readWords<T extends NonNullable<ParseArgsConfig["options"]>>(options: T) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return fail(`${(error as Error).message.split(". ")[0]}: --help lists the options`, 2);
  }
}

/** `a,b` to its words, of `list.known`; wrong ones end the program likewise. */
export function readNames(text: string, list: Parameters<typeof parseNames>[1]): string[] {
  return orFail(() => parseNames(text, list));
}

/** Options that are whole numbers of at least 1, by name; wrong ones end the program likewise. */
export function readCounts<K extends string>(words: Readonly<Record<K, string>>) {
  const counts = Object.entries<string>(words).map(([name, text]) =>
    [name, orFail(() => parseCount(text, `--${name}`))] as const
  );
  return Object.fromEntries(counts) as Readonly<Record<K, number>>;
}

/** `0..2` to seeds; wrong ones end the program likewise. */
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
