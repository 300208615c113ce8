/**
 * Options for Slurm, from the command line and from a file.
 *
 * @module
 */
import { parse } from "yaml";
import * as z from "zod";
import { parseCount, UsageError } from "../../core/arguments.ts";
import { excerpt } from "../../core/plain_text.ts";
import { firstIssue } from "../../experiment/record_schema.ts";

/** A text that fits on one line of a script. */
const LINE = z.string().min(1).regex(
  /^[^\p{Cc}]*$/u,
  "must be one line without control characters",
);
/** A number or a text, as YAML reads `16` and `16G`. */
const WORD = z.union([z.int().min(1).transform(String), LINE]);

const SLURM_OPTIONS = z.strictObject({
  partition: LINE.optional(),
  /** Slurm's forms, such as minutes and D-HH:MM:SS. */
  time: WORD.pipe(
    z.string().regex(/^[\d:-]+$/, "must be a time of Slurm: MINUTES, HH:MM:SS or D-HH:MM:SS"),
  ).optional(),
  gres: LINE.optional(),
  cpus: z.int().min(1).optional(),
  mem: WORD.optional(),
  /** Number of tasks of the array that run at a time. */
  arrayParallelism: z.int().min(1).optional(),
  /** Shell commands that a task executes before its run. */
  setup: z.array(LINE).default([]),
  /** Further options of sbatch, such as `account=NAME`. */
  arg: z.array(LINE).default([]),
});

/** Resources that a task of the array asks Slurm for; an absent one is the cluster's default. */
export type SlurmOptions = z.infer<typeof SLURM_OPTIONS>;

/** Arguments of the command line for Slurm, as text. */
export interface SlurmArguments {
  readonly slurm?: boolean;
  readonly submit?: boolean;
  readonly parallelConfig?: string;
  readonly slurmPartition?: string;
  readonly slurmTime?: string;
  readonly slurmGres?: string;
  readonly slurmCpus?: string;
  readonly slurmMem?: string;
  readonly slurmArrayParallelism?: string;
  readonly slurmSetup?: readonly string[];
  readonly slurmArg?: readonly string[];
}

/**
 * The options in `args`, and those of the file whose text is `file`; the command line overrides the file. Undefined if Slurm is
 * not asked for. Throws UsageError for wrong ones.
 */
export function readSlurmOptions(
  args: SlurmArguments,
  file: { readonly path: string; readonly text: string } | undefined,
): SlurmOptions | undefined {
  const given = Object.keys(args).filter((name) => /^slurm[A-Z]|^submit$/.test(name));
  if (!args.slurm && file === undefined) {
    if (given.length === 0) return undefined;
    throw new UsageError(`${optionOf(given[0])} has an effect only with --slurm`);
  }
  const fromFile = file === undefined ? {} : parseConfig(file);
  const counted = (text: string | undefined, name: string) =>
    text === undefined ? undefined : parseCount(text, name);
  const typed = {
    partition: args.slurmPartition,
    time: args.slurmTime,
    gres: args.slurmGres,
    cpus: counted(args.slurmCpus, "--slurm-cpus"),
    mem: args.slurmMem,
    arrayParallelism: counted(args.slurmArrayParallelism, "--slurm-array-parallelism"),
    setup: args.slurmSetup,
    arg: args.slurmArg,
  };
  const set = Object.entries(typed).filter(([, value]) => value !== undefined);
  const result = SLURM_OPTIONS.safeParse({ ...fromFile, ...Object.fromEntries(set) });
  if (result.success) return result.data;
  const [name] = result.error.issues[0].path;
  throw new UsageError(`${optionOf(`slurm-${String(name)}`)}: ${result.error.issues[0].message}`);
}

/** `--slurm-array-parallelism` of `slurmArrayParallelism`. */
function optionOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Longest file of options, in characters. */
const CONFIG_LIMIT = 2 ** 14;

/** Reads a file such as `slurm: { partition: gpu, array-parallelism: 8 }`: the options without their prefix. */
function parseConfig({ path, text }: { readonly path: string; readonly text: string }): object {
  if (text.length > CONFIG_LIMIT) {
    throw new UsageError(`${path} has more than ${CONFIG_LIMIT} characters: not a list of options`);
  }
  let value: unknown;
  try {
    value = parse(text, { prettyErrors: false, logLevel: "error" });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const reason = /call stack/.test(message) ? "nested too deeply" : message;
    throw new UsageError(`${path} is not YAML: ${excerpt(reason.split("\n")[0])}`, {
      cause: error,
    });
  }
  const result = z.strictObject({ slurm: z.record(z.string(), z.unknown()) }).safeParse(value);
  if (!result.success) {
    throw new UsageError(
      `${path} must hold the key slurm with options such as partition: ${firstIssue(result.error)}`,
    );
  }
  const camel = (key: string) => key.replaceAll(/[-_](\w)/g, (_, letter) => letter.toUpperCase());
  const entries = Object.entries(result.data.slurm).map(([key, value]) => [camel(key), value]);
  const options = SLURM_OPTIONS.safeParse(Object.fromEntries(entries));
  if (!options.success) throw new UsageError(`${path}: slurm.${firstIssue(options.error)}`);
  return options.data;
}
