/**
 * The command line of every program: `--help`, unknown and repeated options, and wrong values are one line each, with exit
 * code 2, before any work.
 *
 * @module
 */
import type { Command } from "commander";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { parseCount, parseNames, parseSeeds, UsageError } from "../core/arguments.ts";
import { fail } from "./programs.ts";

/**
 * Parses the options in `args`, the command line by default. `--help` prints `help` and ends the program; an unknown option, a
 * missing value, or an option of one value that is given twice ends it with one line and exit code 2.
 */
export function readOptions<T extends NonNullable<ParseArgsConfig["options"]>>(
  help: string,
  options: T,
  args: readonly string[] = Deno.args,
) {
  return parse(help, { options, args }).values;
}

/** The arguments of a program without options, up to `count` of them; ends the program likewise. */
export function readWords(help: string, count = 0): string[] {
  const { positionals } = parse(help, {
    options: {},
    args: Deno.args,
    allowPositionals: count > 0,
  });
  if (positionals.length > count) {
    fail(`Too many arguments, got ${positionals.join(" ")}: --help says what it takes`, 2);
  }
  return positionals;
}

function parse<T extends NonNullable<ParseArgsConfig["options"]>>(
  help: string,
  { options, args, allowPositionals = false }: {
    readonly options: T;
    readonly args: readonly string[];
    readonly allowPositionals?: boolean;
  },
) {
  try {
    const { tokens, ...parsed } = parseArgs({
      options: { ...options, help: { type: "boolean" } },
      args: [...args],
      allowPositionals,
      tokens: true,
    });
    if ((parsed.values as { readonly help?: boolean }).help) {
      console.log(help.trimEnd());
      Deno.exit(0);
    }
    const given = new Map<string, string | undefined>();
    for (const token of tokens) {
      if (token.kind !== "option" || token.value === undefined) continue;
      const { name, value } = token;
      if (given.has(name) && !options[name]?.multiple) {
        throw repeated(`--${name}`, given.get(name), value);
      }
      given.set(name, value);
    }
    return parsed;
  } catch (error) {
    const [message] = (error as Error).message.split(/\.\s/);
    return fail(
      error instanceof UsageError ? error.message : `${message}: --help lists the options`,
      2,
    );
  }
}

/**
 * Lets `command` and its commands throw UsageError for an option of one value that is given twice, of which commander would take
 * the last, and for a value that is empty or looks like an option.
 */
export function checkValues(command: Command): void {
  for (const option of command.options) {
    if (!option.required) continue; // a flag
    let before: string | undefined;
    command.on(`option:${option.name()}`, (value: string) => {
      const flag = option.long ?? option.flags;
      if (value === "" || value.startsWith("--")) {
        throw new UsageError(`${flag} needs a value, got ${value === "" ? "an empty one" : value}`);
      }
      if (before !== undefined && option.parseArg !== gather) throw repeated(flag, before, value);
      before = value;
    });
  }
  command.commands.forEach(checkValues);
}

/** Parser of a commander option that may be given several times. */
export function gather(value: string, values: readonly string[] = []): string[] {
  return [...values, value];
}

function repeated(flag: string, before: string | undefined, value: string): UsageError {
  return new UsageError(`${flag} is given twice, ${before} and ${value}: write it once`);
}

/** Parses `a,b` to names of `list.known`; ends the program likewise on an error. */
export function readNames(text: string, list: Parameters<typeof parseNames>[1]): string[] {
  return orFail(() => parseNames(text, list));
}

/** Parses options that are integers >= 1, by name; ends the program likewise on an error. */
export function readCounts<K extends string>(options: Readonly<Record<K, string>>) {
  const counts = Object.entries<string>(options).map(([name, text]) =>
    [name, orFail(() => parseCount(text, `--${kebab(name)}`))] as const
  );
  return Object.fromEntries(counts) as Readonly<Record<K, number>>;
}

/** `latentDim` as an option's name, `latent-dim`. */
function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
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
