/**
 * Methods and data sets from modules of the user: `--methods ./mine.ts`, `--datasets ./set.ts`.
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { UsageError } from "../core/arguments.ts";
import { projectPath, userPath } from "../core/project.ts";
import type { UserModule } from "../core/records.ts";
import type { Dataset, Method } from "../core/types.ts";
import { firstIssue } from "../experiment/record_schema.ts";
import { userCode } from "../experiment/run_code.ts";

/** The entries that a module exports. */
export interface UserEntries {
  /** Absolute. */
  readonly path: string;
  readonly sha256: string;
  /** Folders of the module and of the user's modules that it imports. */
  readonly folders: readonly string[];
  readonly methods: readonly Method[];
  readonly datasets: readonly Dataset[];
}

/** Whether `name` is the path of a module, not the name of an entry: it has a slash, or ends like a module. */
export function isModulePath(name: string): boolean {
  return !/^\w{2,}:/.test(name) && (/[\\/]/.test(name) || /\.[mc]?[jt]s$/.test(name));
}

const NAME = z.string().regex(/^[a-z][a-z0-9_]*$/, "must be like my_name");
const TEXT = z.string().min(1, "must not be empty");
const FUNCTION = z.custom((value) => typeof value === "function", "must be a function");

/** The facts of a `Method` that can be checked before it is built. */
const METHOD = z.looseObject({
  name: NAME,
  label: TEXT,
  description: TEXT,
  source: TEXT,
  deviations: z.array(z.string()),
  defaults: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  build: FUNCTION,
});

/** The facts of a `Dataset` that can be checked before it is loaded. */
const DATASET = z.looseObject({
  name: NAME,
  label: TEXT,
  source: TEXT,
  image: z.object({ height: z.int().min(1), width: z.int().min(1), channels: z.int().min(1) }),
  counts: z.object({ train: z.int().min(1), test: z.int().min(1) }),
  files: z.array(z.unknown()),
  load: FUNCTION,
});

/**
 * Loads the module at `given`, relative to the user's working directory. Throws UsageError in one line if it cannot be loaded,
 * exports neither a method nor a data set, or exports an incomplete one.
 */
export async function loadUserModule(given: string): Promise<UserEntries> {
  const path = userPath(given);
  const exported = await importModule(path);
  const values = [...new Set(Object.values(exported))];
  const has = (value: unknown, member: string) =>
    typeof value === "object" && value !== null && member in value;
  const methods = values.filter((value): value is Method => has(value, "build"));
  const datasets = values.filter((value): value is Dataset => has(value, "load"));
  if (methods.length + datasets.length === 0) {
    throw new UsageError(
      `${given} exports neither a method nor a data set: docs/extending.md has an example`,
    );
  }
  for (const method of methods) check(METHOD, method, `A method of ${given}`);
  for (const dataset of datasets) check(DATASET, dataset, `A data set of ${given}`);
  return { path, methods, datasets, ...await userCode(path, projectPath(".")) };
}

async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    const [message] = (error as Error).message.split("\n");
    throw new UsageError(`Cannot load ${path}: ${message}`, { cause: error });
  }
}

function check(schema: z.ZodType, value: object, what: string): void {
  const { error } = schema.safeParse(value);
  if (error === undefined) return;
  const name = (value as { readonly name?: unknown }).name;
  throw new UsageError(`${what} is incomplete, "${name}": ${firstIssue(error)}`);
}

/** The module of `method`, as a spec has it. */
export function moduleOfMethod(
  { path, sha256 }: UserEntries,
  { label, description }: Method,
): UserModule {
  return { path, sha256, label, description };
}

/** The module of `dataset`, as a spec has it. */
export function moduleOfDataset(
  { path, sha256 }: UserEntries,
  dataset: Dataset,
): UserModule {
  return { path, sha256, ...factsOf(dataset) };
}

/** The facts of a user's data set that reports need. */
export function factsOf({ label, image }: Dataset): Pick<UserModule, "label" | "image"> {
  const { height, width, channels } = image;
  return { label, image: { height, width, channels } };
}

/** Loads a module that a spec names. Throws Error if it is missing or no longer the one that the run was defined with. */
export async function loadModuleAgain({ path, sha256 }: UserModule): Promise<UserEntries> {
  const entries = await loadUserModule(path);
  if (entries.sha256 === sha256) return entries;
  throw new Error(
    `${path} has changed since the run was defined: start deno task bench again, for a run of the new code`,
  );
}
