import { parseArgs, type ParseArgsConfig } from "node:util";
import { fail } from "./programs.ts";

/** The options of the command line; wrong ones end the program with one line and exit code 2. */
export function readWords<T extends NonNullable<ParseArgsConfig["options"]>>(options: T) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return fail(`${(error as Error).message.split(". ")[0]}: --help lists the options`, 2);
  }
}
