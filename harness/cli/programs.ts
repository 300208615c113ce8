import { UsageError } from "../core/arguments.ts";
import { plainText } from "../core/plain_text.ts";

/**
 * Runs a program and shows its output. If the program is missing, ends this one with a line that says what to install
 * (`what`); if it fails, with a line that gives a hint (`hint`).
 */
export async function runVisibly(
  path: string,
  args: readonly string[],
  { what, hint = "see its message above" }: {
    readonly what: string;
    readonly hint?: string;
  },
): Promise<void> {
  let code: number;
  try {
    ({ code } = await new Deno.Command(path, {
      args: [...args],
      stdout: "inherit",
      stderr: "inherit",
    }).output());
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) fail(`${path} was not found: install ${what}`, 1);
    throw error;
  }
  if (code !== 0) fail(`${path} failed with exit code ${code}: ${hint}`, 1);
}

/**
 * Runs the program `main`. An error ends it with one line on standard error and exit code 2 for a mistake in its arguments, 1
 * otherwise.
 */
export async function runProgram(main: () => void | Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    fail(errorLine(error), error instanceof UsageError ? 2 : 1);
  }
}

/** The message of an error. Deno's advice to allow more is left out: a task's permissions are not the user's to change. */
export function errorLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim()
    .replace(
      /^Requires all access to ("[^"]+").*$/,
      "No access to $1: the system keeps programs out of it",
    )
    .replace(
      /^Requires (.+ access to "[^"]+"), run again with the --allow-\S+ flag$/,
      "No $1: the task does not allow it",
    );
}

/** Ends the program with one line on standard error. */
export function fail(message: string, code: number): never {
  console.error(plainText(message));
  Deno.exit(code);
}
