/**
 * Runs a program with its output shown. Ends this one with a line that says what to install (`what`) where there is no
 * such program, or that it failed and what else would help.
 */
export async function runVisibly(
  path: string,
  args: readonly string[],
  { what, otherwise = "see its message above" }: {
    readonly what: string;
    readonly otherwise?: string;
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
  if (code !== 0) fail(`${path} failed with exit code ${code}: ${otherwise}`, 1);
}

/** Ends the program with one line on standard error. */
export function fail(message: string, code: number): never {
  console.error(message);
  Deno.exit(code);
}
